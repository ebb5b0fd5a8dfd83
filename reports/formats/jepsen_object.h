/* Jepsen's histories of single objects:
 *
 *     register  :read, :write v, :cas [expected new]
 *     kv        :get, :put v, :append v, of strings
 *     list      :append v, :read                          set      :add v, :remove v, :read
 *     queue     :enqueue v, :dequeue                      stack    :push v, :pop
 *     counter   :add amount, :read                        lock     :acquire, :release
 *
 * Values are numbers, strings, keywords, symbols. A history of many objects has [key v] for every
 * v and [key nil] where there is none (jepsen.independent), or a :key member beside :value.
 *
 * As Knossos takes them: :fail did not take place, :info may any time later or never, a :read
 * that is :ok with nil tells nothing, and operations of processes that are no numbers are not a
 * client's. A :dequeue or :pop that is :ok with nil found the object empty. */
#ifndef REPORTS_FORMATS_JEPSEN_OBJECT_H
#define REPORTS_FORMATS_JEPSEN_OBJECT_H

#include "reports/formats/histories.h"

/* Reads a text into an initialised, empty history. `object` is enum sim_object, or
 * SIM_OBJECT_COUNT: as the operations show. `initial` is what registers hold at first, as the text
 * would say it, or NULL: nil, which no read can tell from not knowing. Errors: SIM_EINVAL and
 * SIM_ENOMEM (the history's bound), with *problem saying where. */
SIM_NODISCARD enum sim_status jepsen_object_read(const char *bytes, size_t size_bytes,
                                                 uint32_t object, const char *initial,
                                                 struct sim_history *history,
                                                 struct history_problem *problem);

#endif
