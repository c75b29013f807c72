/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope.h -- what Amazon Bedrock's InvokeModelWithResponseStream puts around the records of a model's own dialect.
 *
 * The model's SSE record {"type":"ping"} comes as an event-stream frame `chunk` with the payload
 * {"bytes":"eyJ0eXBlIjoicGluZyJ9","p":"..."}: JSON in base64, and padding.  Taken out it is that SSE record again, so
 * that the dialect and its clients need not know.  That an answer comes so, `encode` says by http_enveloped().  Worker
 * process; called by answer.c.
 */
#ifndef WORKER_ENVELOPE_H
#define WORKER_ENVELOPE_H

#include "base/buf.h"
#include "base/sse.h"

/* The record inside of a frame's payload: "event: TYPE\ndata: JSON\n\n", written into `to`, which it points into.
 * false: this is no envelope. */
bool envelope_open(struct weir_str payload, struct buf *to, struct sse_record *);

#endif
