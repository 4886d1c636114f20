/*
 * say.h - a line on standard error, for whoever runs the proxy.
 *
 * Threads: any, of any of our processes; a line may come between two of another's,
 *          never within one.
 */
#ifndef PROXY_CORE_SAY_H
#define PROXY_CORE_SAY_H

/* say writes "sallyport: ", the text, and the end of the line. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
