package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/spf13/cobra"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
)

// nextSteps says, for each kind of task a room opens, what happened and what a person in finance does next.
var nextSteps = map[string]string{
	"payment_without_gift":                 "Money came that names no gift of ours; it is in Suspense. Look the payment up at Stripe: if it is a gift, give it a fund by a journal entry; otherwise refund it.",
	"payment_of_another_entity":            "A payment on this account names a gift to another legal entity; it is in Suspense. Refund it at Stripe, and ask the donor to give to the right one.",
	"payment_in_other_currency":            "A payment came in a currency the books are not kept in, and has no receipt. Look it up at Stripe: refund it, or book what the bank received by hand.",
	"payment_differs_from_gift":            "What was paid is not what the gift says; the gift is held and the money is in Suspense. Ask the donor what was meant; then book it and send a receipt by hand, or refund it.",
	"payment_beyond_plan":                  "Stripe charged a recurring gift once more than its donor planned. The money was in Suspense and is given back by itself; see at Stripe that the refund went out and the subscription is cancelled.",
	"payment_after_plan_ended":             "Stripe charged a recurring gift after it had ended. The money was in Suspense and is given back by itself; see at Stripe that the refund went out and the subscription is cancelled.",
	"plan_request_stuck":                   "Something asked for a recurring gift is not done at Stripe, for a day or because Stripe refused it; what and why stand in the task. Do it at Stripe by hand if the donor waits for it, and send the reason to whoever runs the program.",
	"gift_paid_twice":                      "A gift was paid a second time; the second payment is in Suspense. Refund it at Stripe, unless the donor wants to give twice.",
	"replaced_gift_paid":                   "A payment page was paid after the donor had begun the same gift anew; the money is in Suspense. If the newer gift was paid too, refund this one; otherwise book it and send a receipt by hand.",
	"purged_gift_paid":                     "A gift was paid after its donor's details were erased; the money is in Suspense and no receipt can be sent. Find the payer at Stripe; then refund it, or book it and send a receipt by hand.",
	"balance_in_other_currency":            "Stripe moved money in a currency the books are not kept in; it is not booked. Book what the bank received by hand, and ask Stripe to settle in the books' currency.",
	"balance_transactions_stuck":           "A movement at Stripe cannot be booked yet, and what hangs on it waits: its charge's later movements, and payouts. The reason says why; send it to whoever runs the program. It is tried again by itself for an hour before it goes to Suspense, and the task closes when it is booked.",
	"payment_without_bill":                 "A recurring gift was charged, and the bill that says for which gift cannot be read at Stripe; the money is in Suspense. It is asked for again by itself, booked with its receipt when it turns up, and the task closes: book nothing by hand before Stripe's support has said that the bill is gone.",
	"balance_transaction_not_booked":       "A movement at Stripe could not be booked by its rule; it is in Suspense (one in another currency is nowhere). Send the reason to whoever runs the program, and book it to its account by a journal entry.",
	"charge_not_readable":                  "Stripe's answer about a payment could not be read, so its money is in Suspense and no gift is settled by it. Look the payment up at Stripe, and send its id to whoever runs the program.",
	"unknown_balance_transaction":          "Stripe moved money in a way the program does not know; it is in Suspense. Read it at Stripe and book it to its account by a journal entry.",
	"movement_does_not_fit":                "Money came back or went out of a charge that is not known, or more than it had; it is in Suspense. Read it at Stripe and book it to its account by a journal entry.",
	"refund_failed":                        "The bank could not deliver a refund: the money is back, and owed to the donor in Refunds-payable. Ask the donor how to repay it (a check, a transfer), and book that.",
	"fund_could_not_bear":                  "A refund or a lost dispute was larger than the restricted fund had left, and operations bore the rest. Decide whether the fund is to make it good, and transfer it.",
	"payout_differs_from_its_transactions": "A payout is not the sum of its movements; operations bore the difference. Compare it with Stripe's payout report and book the difference where it belongs.",
	"payout_failed":                        "The bank sent a payout back. Mend the bank account's details at Stripe; the money is paid out again after that.",
	"checker_found":                        "The nightly look found something that must never be; the subject is the view that has it. konbit ledger verify tells every row: send them to whoever runs the program. The task closes by itself at the first look that finds nothing.",
	"letter_refused":                       "A donor's mail server refused a letter for good. Ask the donor for the right address: konbit receipt find --refused lists such receipts, and konbit receipt resend sends one again.",
}

func tasksCommand() *cobra.Command {
	return group("tasks", "What waits for a person in finance", tasksListCommand(), tasksCloseCommand())
}

// taskLine is a task as `konbit tasks list --json` shows it.
type taskLine struct {
	Entity   string            `json:"entity"`
	Kind     string            `json:"kind"`
	Subject  string            `json:"subject"`
	Detail   map[string]string `json:"detail"`
	Times    int               `json:"times"` // how often it was opened
	OpenedAt time.Time         `json:"opened_at"`
	ClosedAt *time.Time        `json:"closed_at"`
	Next     string            `json:"next"`
}

func tasksListCommand() *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "Tasks that are open, the oldest first, and what to do about each", Args: cobra.NoArgs}
	all := c.Flags().Bool("all", false, "those that are closed too")
	entity := c.Flags().String("entity", "", "only those of this legal entity (its slug)")
	asJSON := c.Flags().Bool("json", false, "answer in JSON")
	c.RunE = func(c *cobra.Command, _ []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			filter := ledger.TaskFilter{Closed: *all}
			if filter.EntityID, err = entityID(entities, *entity); err != nil {
				return err
			}
			tasks, err := ledger.Tasks(c.Context(), db, filter)
			if err != nil {
				return err
			}
			lines := taskLines(entities, tasks)
			if *asJSON {
				return printJSON(c, lines)
			}
			printTasks(c.OutOrStdout(), lines)
			return nil
		})
	}
	return c
}

func taskLines(entities []org.LegalEntity, tasks []ledger.StoredTask) []taskLine {
	slugs := map[uuid.UUID]string{}
	for _, e := range entities {
		slugs[e.ID] = e.Slug
	}
	lines := make([]taskLine, len(tasks))
	for i, t := range tasks {
		lines[i] = taskLine{
			Entity: slugs[t.EntityID], Kind: t.Kind, Subject: t.Subject, Detail: t.Detail, Times: t.Times,
			OpenedAt: t.OpenedAt.UTC(), ClosedAt: t.ClosedAt, Next: cmp.Or(nextSteps[t.Kind], "Ask whoever runs the program."),
		}
	}
	return lines
}

func printTasks(to io.Writer, lines []taskLine) {
	if len(lines) == 0 {
		fmt.Fprintln(to, "Nothing waits for finance.")
	}
	for _, l := range lines {
		state := ""
		if l.Times > 1 {
			state = fmt.Sprintf(", opened %d times", l.Times)
		}
		if l.ClosedAt != nil {
			state += ", closed " + l.ClosedAt.UTC().Format(time.RFC3339)
		}
		fmt.Fprintf(to, "%s  %s  %s %q%s\n", l.OpenedAt.Format(time.RFC3339), l.Entity, l.Kind, l.Subject, state)
		var detail []string
		for _, name := range slices.Sorted(maps.Keys(l.Detail)) {
			detail = append(detail, name+" "+l.Detail[name])
		}
		if len(detail) > 0 {
			fmt.Fprintf(to, "    %s\n", strings.Join(detail, ", "))
		}
		fmt.Fprintf(to, "    %s\n", l.Next)
	}
}

func tasksCloseCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "close KIND SUBJECT [--entity SLUG]", Short: "Close a task that was seen to; it opens again if the same happens again", Args: cobra.ExactArgs(2),
	}
	entity := c.Flags().String("entity", "", "the legal entity (its slug); needed where several have that task")
	c.RunE = func(c *cobra.Command, args []string) error {
		return withDatabase(c.Context(), func(db *sqlx.DB) error {
			entities, err := org.Entities(c.Context(), db)
			if err != nil {
				return err
			}
			filter := ledger.TaskFilter{Kind: args[0], Subject: args[1]}
			if filter.EntityID, err = entityID(entities, *entity); err != nil {
				return err
			}
			if err := closeTask(c.Context(), db, entities, filter); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "Closed.")
			return nil
		})
	}
	return c
}

// closeTask closes the one task of a kind and subject that is open. It fails when there is none, and names the entities when
// several have one.
func closeTask(ctx context.Context, db *sqlx.DB, entities []org.LegalEntity, filter ledger.TaskFilter) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		open, err := ledger.Tasks(ctx, tx, filter)
		if err != nil {
			return err
		}
		switch len(open) {
		case 0:
			return fmt.Errorf("no task %s %q is open: konbit tasks list --all", filter.Kind, filter.Subject)
		case 1:
			return ledger.CloseTaskTx(ctx, tx, open[0].EntityID, filter.Kind, filter.Subject, time.Now())
		}
		var of []string
		for _, line := range taskLines(entities, open) {
			of = append(of, line.Entity)
		}
		slices.Sort(of)
		return fmt.Errorf("%w: %s have that task: say which by --entity", errUse, strings.Join(of, " and "))
	})
}

// checkTasks tells how many tasks wait for finance.
func (d *doctor) checkTasks(ctx context.Context, db *sqlx.DB) {
	n, err := ledger.OpenTasks(ctx, db)
	if err != nil {
		d.saw("tasks for finance", err)
		return
	}
	f := finding{Looked: "tasks for finance", OK: true}
	if n > 0 {
		f.Note = fmt.Sprintf("%d wait: konbit tasks list", n)
	}
	d.findings = append(d.findings, f)
}
