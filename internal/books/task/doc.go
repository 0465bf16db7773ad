// Package task owns the list of what waits for a person: the table finance_task, and the registry of the kinds of
// tasks.
//
// The package whose code opens a task declares its kind beside that code:
//
//	var taskPayoutFailed = task.Register(task.Kind{Code: "payout_failed", Severity: task.Urgent, For: task.Finance, …})
//
// A task can only be opened with a registered kind, so every open task has words, a link and an audience:
//
//	OpenTx ──▶ open ──▶ CloseTx (the cause has ended), CloseStoredTx (a person has seen to it) ──▶ closed
//	            ▲                                                                                    │
//	            └──────────────────── OpenTx: the same happened again (times + 1) ───────────────────┘
//
// One row exists per legal entity, kind and subject. Opening an open task changes nothing.
//
// The words of a kind are two phrases, in the languages of the office (templates/office): TitleKey and NextKey.
// A task holds ids and figures, never a name or an address of a person: its row outlives every erasure.
package task
