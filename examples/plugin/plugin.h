/* SPDX-License-Identifier: MIT
 * What host and plugins have of each other. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* of the host */
extern int host_calls;
int host_say(char const* text);

/* of each plugin */
int plugin_run(int n);

#ifdef __cplusplus
}
#endif
