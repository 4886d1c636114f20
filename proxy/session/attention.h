/*
 * attention.h - whom a session listens to, and how long it waits for that.
 *
 * Both follow from where it stands, and are set anew whenever it has run: nobody
 * else starts or stops reading, or the timer. A step whose time is over is told so
 * by timed_out, and says itself what comes of that.
 *
 *	client   read where its bytes are the step's, and there is room for them
 *	origin   read where it may speak; of one that rests, the end is heard
 *	timer    connecting, handshakes and heads must end in time, however slowly
 *	         they trickle; what flows may take any time, if it does flow
 *
 * Threads: one, the session's.
 */
#ifndef PROXY_SESSION_ATTENTION_H
#define PROXY_SESSION_ATTENTION_H

struct session;

/* attention_set, after each run of the session. */
void attention_set(struct session *s);

#endif
