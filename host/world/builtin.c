/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builtin.c -- the providers of a configuration that names none: the mock, every vendor whose key is in the
 * environment, and local servers that answer.  weir.conf says the same with comments; tests/unit/world_test.c holds the
 * two together.
 */
#include "world/build.h"

const char builtin_config[] =
    "providers = (\n"
    "  { name = \"mock\";       models = [ \"mock/echo\", \"mock/lorem\", \"mock/tools\", \"mock/reasoning\", "
    "\"mock/embed\", \"mock/*\" ]; },\n"
    "  { name = \"openai\";     key = \"env:OPENAI_API_KEY\";     optional = true;\n"
    "    models = [ \"openai/*=*\", \"gpt-*\", \"chatgpt-*\", \"o1*\", \"o3*\", \"o4*\", \"text-embedding-*\",\n"
    "               \"omni-moderation-*\" ]; },\n"
    "  { name = \"openrouter\"; plugin = \"openai\";  key = \"env:OPENROUTER_API_KEY\";  optional = true;\n"
    "    url = \"https://openrouter.ai/api/v1\"; },\n"
    "  { name = \"mistral\";    plugin = \"openai\";  key = \"env:MISTRAL_API_KEY\";     optional = true;\n"
    "    url = \"https://api.mistral.ai/v1\"; },\n"
    "  { name = \"deepseek\";   plugin = \"openai\";  key = \"env:DEEPSEEK_API_KEY\";    optional = true;\n"
    "    url = \"https://api.deepseek.com/v1\"; },\n"
    "  { name = \"groq\";       plugin = \"openai\";  key = \"env:GROQ_API_KEY\";        optional = true;\n"
    "    url = \"https://api.groq.com/openai/v1\"; },\n"
    "  { name = \"together\";   plugin = \"openai\";  key = \"env:TOGETHER_API_KEY\";    optional = true;\n"
    "    url = \"https://api.together.xyz/v1\"; },\n"
    "  { name = \"xai\";        plugin = \"openai\";  key = \"env:XAI_API_KEY\";         optional = true;\n"
    "    url = \"https://api.x.ai/v1\"; },\n"
    "  { name = \"ollama\";     plugin = \"openai\";  url = \"http://127.0.0.1:11434/v1\";  optional = true; },\n"
    "  { name = \"llamacpp\";   plugin = \"openai\";  url = \"http://127.0.0.1:8081/v1\";   optional = true; }\n"
    ");\n";
