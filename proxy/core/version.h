/*
 * version.h - the version, here and nowhere else.
 */
#ifndef PROXY_CORE_VERSION_H
#define PROXY_CORE_VERSION_H

#define SALLYPORT_VERSION "0.1.0"

#endif
