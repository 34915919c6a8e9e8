/*
 * openapi.h - the description of the API (openapi.json) as bytes in the program: the build makes
 * them from the file.
 */
#ifndef HV_OPENAPI_H
#define HV_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_json[];
extern const size_t openapi_json_size;

#endif
