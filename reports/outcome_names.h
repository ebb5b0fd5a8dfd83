/* The words for the numbers at level outcome: checks, verdicts and metrics. They are the same in
 * every recording, so make_schema puts them into the image that such a file starts from. */
#ifndef REPORTS_OUTCOME_NAMES_H
#define REPORTS_OUTCOME_NAMES_H

#include <stdint.h>

/* A row of the table `name`, of owner 0; both texts are constants. */
typedef void (*recording_name_fn)(void *context, const char *what, uint32_t id, const char *text);

void recording_each_outcome_name(recording_name_fn name, void *context);

#endif
