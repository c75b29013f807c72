#include "recorder/recorder.h"
#include "recorder/sink.h"
#include "cmd/cmd.h"
#include <unistd.h>
int recorder_run(const struct recorder_start *s){ char c; uint64_t at[64]; for(unsigned i=0;i<s->ring_count;i++) at[i]=s->rings[i]?ring_durable(s->rings[i]):0; for(;;){ for(unsigned i=0;i<s->ring_count;i++) if(s->rings[i]){ ring_beat(s->rings[i]); struct ring_record r; while(ring_next(s->rings[i],&at[i],&r)==RING_RECORD){  ring_release(s->rings[i],at[i]);} } usleep(20000);} (void)c; return 0; }
int sink_run(const struct sink_start *s){(void)s; pause(); return 0;}
const struct cmd cmd_journal={.name="journal",.summary="x"};
