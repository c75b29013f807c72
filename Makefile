# SPDX-License-Identifier: Apache-2.0
#
# weir -- the whole developer interface:
#
#   make start        install what is missing, build, run the gateway on 127.0.0.1:8080
#   make test         install what the tests need, build, run every test; SAN=address|undefined|thread for sanitizers
#   make              build build/weir and build/plugins/<kind>/<name>.so
#   make lint         dependency rule, banned functions, format, static checks, docs up to date
#   make fuzz         run every fuzzer, SECONDS=60 each; make fuzz-smoke runs them briefly
#   make e2e          official SDKs and real servers against weir (needs npm and PyPI)
#   make bench        direct, nginx and weir side by side; writes bench/RESULTS.md
#   make docs         print docs/ from the tables in the code
#   make install      DESTDIR= PREFIX=/usr/local
#   make clean
#
# V=1 shows the commands.

PREFIX  ?= /usr/local
DESTDIR ?=
SAN     ?=
V       ?=
SECONDS ?= 60
Q       := $(if $(V),,@)

comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))

CC      ?= cc
PKGS    := libcurl jansson libconfig openssl
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS   = $(shell pkg-config --libs $(PKGS) 2>/dev/null)
WARN    := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef
SANFLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all)
OPT     ?= -O2 -g
# The program and its plugins are optimised as wholes: a fifth less CPU per request.  Tests link the plain code in the same objects.
LTO     := $(if $(SAN),,-flto=auto)
CFLAGS  ?=
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(OPT) $(WARN) $(SANFLAGS) -fvisibility=hidden -fstack-protector-strong \
             -MMD -MP $(CFLAGS)
HOST_CFLAGS = $(ALL_CFLAGS) $(if $(LTO),$(LTO) -ffat-lto-objects) -Ihost -Isdk $(PKG_CFLAGS)
PLUG_CFLAGS = $(ALL_CFLAGS) $(if $(LTO),$(LTO) -ffat-lto-objects) -fPIC -Isdk -Iplugins/lib
LDFLAGS ?=
ALL_LDFLAGS = $(SANFLAGS) -Wl,-z,relro,-z,now $(LDFLAGS)
TEST_LDFLAGS = -fno-lto $(ALL_LDFLAGS)
LIBS    = $(PKG_LIBS) -ldl -lm -pthread

HOST_SRC := $(filter-out host/main.c,$(wildcard host/*/*.c))
HOST_OBJ := $(HOST_SRC:%.c=$(B)/obj/%.o)
PLIB_SRC := $(wildcard plugins/lib/*.c)
PLIB_OBJ := $(PLIB_SRC:%.c=$(B)/obj/%.o)

# A plugin is plugins/<kind>/<name>.c or a folder plugins/<kind>/<name>/ of .c files.
PLUG_FILES := $(filter-out plugins/lib/%,$(wildcard plugins/*/*.c))
PLUG_DIRS  := $(filter-out plugins/lib/%,$(patsubst %/,%,$(sort $(dir $(wildcard plugins/*/*/*.c)))))
PLUGINS    := $(PLUG_FILES:plugins/%.c=$(B)/plugins/%.so) $(PLUG_DIRS:plugins/%=$(B)/plugins/%.so)
FIXTURES   := $(patsubst tests/plugins/%.c,$(B)/tests/plugins/%.so,$(wildcard tests/plugins/*.c))

SHARE     := $(patsubst %,$(B)/%,$(wildcard share/*))

UNIT_SRC  := $(wildcard tests/unit/*_test.c)
UNIT_BIN  := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/%)
FUZZ_SRC  := $(wildcard tests/fuzz/*.c)
FUZZ_BIN  := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(filter-out tests/fuzz/standalone.c,$(FUZZ_SRC)))
BENCH_SRC := $(wildcard bench/*.c)
BENCH_BIN := $(BENCH_SRC:bench/%.c=$(B)/bench/%)

.PHONY: all help start test lint fuzz fuzz-smoke e2e bench docs install install-sdk clean deps deps-test build-tests
.DEFAULT_GOAL := all
.SECONDARY:

all: $(B)/weir $(PLUGINS) $(SHARE)

help:
	@sed -n '/^# weir --/,/^# V=1/s/^# \{0,1\}//p' Makefile

deps:
	@tools/deps.sh run
deps-test:
	@tools/deps.sh run test

# Building comes after installing, in a make of its own: pkg-config must see what was just installed.
start: deps
	@$(MAKE) --no-print-directory all
	@exec $(B)/weir serve -c weir.conf

test: deps-test
	@$(MAKE) --no-print-directory build-tests
	@B=$(B) SAN=$(SAN) tools/test.sh

build-tests: all $(B)/tests/abi $(B)/tests/translate $(FIXTURES) $(UNIT_BIN) $(FUZZ_BIN:$(B)/fuzz/%=$(B)/fuzz-replay/%) $(BENCH_BIN)

# ---- the program ----

# What the program looks for beside itself.
$(B)/share/%: share/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

$(B)/obj/host/%.o: host/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC   $<")
	$(Q)$(CC) $(HOST_CFLAGS) -c -o $@ $<

$(B)/obj/plugins/lib/%.o: plugins/lib/%.c
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC   $<")
	$(Q)$(CC) $(PLUG_CFLAGS) -c -o $@ $<

$(B)/libhost.a: $(HOST_OBJ)
	$(Q)rm -f $@ && ar qcs $@ $^
$(B)/libplugin.a: $(PLIB_OBJ)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar qcs $@ $^

$(B)/weir: $(B)/obj/host/main.o $(HOST_OBJ)
	$(if $(V),,@echo "  LD   $@")
	$(Q)$(CC) $(OPT) $(LTO) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

# ---- plugins ----

# Signatures are made by libcrypto, which the program has loaded already.
PLUG_LIBS_bedrock := -lcrypto
PLUG_LIBS_gemini := -lcrypto
PLUG_LIBS_anthropic := -lcrypto

$(B)/plugins/%.so: plugins/%.c $(B)/libplugin.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  SO   $@")
	$(Q)$(CC) $(PLUG_CFLAGS) -shared $(ALL_LDFLAGS) -MF $(@:.so=.d) -o $@ $< $(B)/libplugin.a $(PLUG_LIBS_$(notdir $*)) -lm

define plugin_dir
$(B)/$(1).so: $(wildcard $(1)/*.c) $(wildcard $(1)/*.h) $(B)/libplugin.a
	@mkdir -p $$(@D)
	$$(if $(V),,@echo "  SO   $$@")
	$(Q)$$(CC) $$(PLUG_CFLAGS) -I$(1) -shared $$(ALL_LDFLAGS) -MF $$(@:.so=.d) -o $$@ $(wildcard $(1)/*.c) $(B)/libplugin.a $$(PLUG_LIBS_$(notdir $(1))) -lm
endef
$(foreach d,$(PLUG_DIRS),$(eval $(call plugin_dir,$(d))))

$(B)/tests/plugins/%.so: tests/plugins/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(PLUG_CFLAGS) -shared $(TEST_LDFLAGS) -MF $(@:.so=.d) -o $@ $<

# ---- tests ----

$(B)/tests/abi: tests/abi.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Isdk $(TEST_LDFLAGS) -MF $@.d -o $@ $<

# Plugins under the fake host, for the tests that ask about every field and every recording.
$(B)/tests/translate: tests/translate.c $(B)/libhost.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) $(TEST_LDFLAGS) -MF $@.d -o $@ $< $(B)/libhost.a $(LIBS)

$(B)/tests/%: tests/unit/%.c tests/unit/main.c $(B)/libhost.a $(B)/libplugin.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  TEST $@")
	$(Q)$(CC) $(HOST_CFLAGS) -Iplugins/lib -Itests/unit $(shell pkg-config --cflags check) $(TEST_LDFLAGS) -MF $@.d -o $@ tests/unit/main.c $< \
	    $(B)/libhost.a $(B)/libplugin.a $(LIBS) $(shell pkg-config --libs check)

# Fuzzers: libFuzzer by clang, and the same file with a main() that replays a corpus, for every compiler.
FUZZ_FLAGS = -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP \
             -Ihost -Isdk -Iplugins/lib $(PKG_CFLAGS)
$(B)/fuzz-obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -c -o $@ $<
$(B)/libfuzz.a: $(patsubst %.c,$(B)/fuzz-obj/%.o,$(HOST_SRC) $(PLIB_SRC))
	$(Q)rm -f $@ && ar qcs $@ $^
$(B)/fuzz/%: tests/fuzz/%.c $(B)/libfuzz.a
	@mkdir -p $(@D)
	$(if $(V),,@echo "  FUZZ $@")
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -MF $@.d -o $@ $< $(B)/libfuzz.a $(LIBS)
$(B)/fuzz-replay/%: tests/fuzz/%.c tests/fuzz/standalone.c $(B)/libhost.a $(B)/libplugin.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -Iplugins/lib $(TEST_LDFLAGS) -MF $@.d -o $@ $< tests/fuzz/standalone.c $(B)/libhost.a $(B)/libplugin.a $(LIBS)

fuzz: deps-test
	@$(MAKE) --no-print-directory fuzz-build
	@B=$(B) tools/fuzz.sh $(SECONDS)
fuzz-smoke: deps-test
	@$(MAKE) --no-print-directory fuzz-build
	@B=$(B) tools/fuzz.sh $(if $(FUZZ_SMOKE),$(FUZZ_SMOKE),60)
.PHONY: fuzz-build
fuzz-build: $(FUZZ_BIN)

lint: deps-test all
	@tools/lint.sh

e2e: deps
	@$(MAKE) --no-print-directory all
	@B=$(B) tests/e2e/run.sh

$(B)/bench/%: bench/%.c $(B)/libhost.a $(B)/libplugin.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(HOST_CFLAGS) -Iplugins/lib $(TEST_LDFLAGS) -MF $@.d -o $@ $< $(B)/libhost.a $(B)/libplugin.a $(LIBS)

bench: deps-test
	@$(MAKE) --no-print-directory all $(BENCH_BIN)
	@python3 bench/run.py $(BENCH)

docs: all
	@tools/docs.sh

install-sdk:
	install -d $(DESTDIR)$(PREFIX)/include $(DESTDIR)$(PREFIX)/share/weir/sdk/skeleton
	install -m 644 sdk/*.h $(DESTDIR)$(PREFIX)/include/
	install -m 644 sdk/README.md sdk/LICENSE $(DESTDIR)$(PREFIX)/share/weir/sdk/
	install -m 644 sdk/skeleton/Makefile sdk/skeleton/*.c $(DESTDIR)$(PREFIX)/share/weir/sdk/skeleton/

install: all install-sdk
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/weir $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(B)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -m 644 weir.conf share/* $(DESTDIR)$(PREFIX)/share/weir/
	install -m 644 docs/weir.1 $(DESTDIR)$(PREFIX)/share/man/man1/weir.1
	for p in $(PLUGINS:$(B)/%=%); do install -D -m 755 $(B)/$$p $(DESTDIR)$(PREFIX)/lib/weir/$$p; done

clean:
	rm -rf $(B)

-include $(shell [ -d $(B) ] && find $(B) -name '*.d' 2>/dev/null)
