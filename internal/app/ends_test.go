package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// endRow is a row of the table of ends in internal/mail/README.md.
type endRow struct {
	name   string
	stored []string // "table.column value"
	emails []string // kinds, sorted; none: the next cell says why
}

var code = regexp.MustCompile("`([^`]+)`")

// readEnds reads the table of ends, and the kinds of emails from the table of emails.
func readEnds(t *testing.T) (rows []endRow, kinds []string) {
	t.Helper()
	readme, err := os.ReadFile("../mail/README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(readme), "\n## Ends\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.Contains(cells[0], "end") && strings.Contains(cells[1], "stored as") {
			continue
		}
		row := endRow{name: strings.TrimSpace(cells[0]), stored: codes(cells[1]), emails: codes(cells[2])}
		require.Equal(t, len(row.emails) == 0, strings.TrimSpace(cells[3]) != "", "%s: an end has an email or a reason for having none", row.name)
		rows = append(rows, row)
	}
	for _, kind := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\|").FindAllStringSubmatch(string(readme), -1) {
		kinds = append(kinds, kind[1])
	}
	require.Greater(t, len(rows), 20)
	return rows, kinds
}

// codes returns what a cell has in code font, sorted.
func codes(cell string) (all []string) {
	for _, found := range code.FindAllStringSubmatch(cell, -1) {
		all = append(all, found[1])
	}
	slices.Sort(all)
	return all
}

// ending is a donor whose gift or plan ends in a program of its own.
type ending struct {
	*program.Program
	t *testing.T
}

// gift starts a gift of $20 once.
func (e ending) gift() donation.Donation { return e.StartedGift(program.ValidForm()) }

func (e ending) settled() donation.Donation {
	d := e.SettledGift(program.ValidForm())
	e.arrive()
	return e.Gift(d.ID)
}

// debit orders a gift by bank debit.
func (e ending) debit(d donation.Donation, refused bool) {
	e.t.Helper()
	require.NoError(e.t, e.Fake.Debit(*e.Checkout(d).SessionID, refused))
	e.arrive()
}

// plan starts a recurring gift by card, of n payments; 0: without an end.
func (e ending) plan(n string) donation.Donation {
	e.t.Helper()
	form := program.ValidForm()
	form.Frequency, form.Occurrences = "monthly", n
	d := e.StartedGift(form)
	e.Pay(d)
	e.arrive()
	return d
}

func (e ending) subscription(d donation.Donation) string {
	return e.Lines(`SELECT subscription_id FROM plan WHERE id = $1`, d.ID)[0]
}

// arrive lets everything arrive here that happened at Stripe.
func (e ending) arrive() {
	e.t.Helper()
	for range 3 {
		e.DeliverNew()
		e.DrainAll()
		_, err := e.Collector.Sweep(e.t.Context())
		require.NoError(e.t, err)
		e.RetryParked()
		e.RunPlanJobs()
	}
}

// pass lets time pass at Stripe.
func (e ending) pass(d time.Duration) {
	e.Fake.Advance(d)
	e.arrive()
}

// refund refunds a part of a gift; 0: all that is left.
func (e ending) refund(d donation.Donation, minor int64) string {
	e.t.Helper()
	id, err := e.Fake.Refund(e.IntentOf(d), minor)
	require.NoError(e.t, err)
	e.arrive()
	return id
}

func (e ending) dispute(d donation.Donation, inquiry bool) string {
	e.t.Helper()
	id, err := e.Fake.Dispute(e.Lines(`SELECT intent_ref FROM payment WHERE donation_id = $1`, d.ID)[0], inquiry)
	require.NoError(e.t, err)
	e.arrive()
	return id
}

func (e ending) close(dispute, outcome string) {
	e.t.Helper()
	require.NoError(e.t, e.Fake.CloseDispute(dispute, outcome))
	e.arrive()
}

// decide disputes a plan's payment and closes the dispute. The emails about the beginning do not count.
func (e ending) decide(d donation.Donation, outcome string) {
	e.t.Helper()
	dispute := e.dispute(d, false)
	e.send()
	e.close(dispute, outcome)
}

// hold pays a gift at Stripe, whose amount is another one here.
func (e ending) hold() donation.Donation {
	e.t.Helper()
	d := e.gift()
	e.Exec(`UPDATE donation SET amount = 1900 WHERE id = $1`, d.ID)
	e.Pay(d)
	e.arrive()
	require.Equal(e.t, donation.NeedsReview, e.Gift(d.ID).Status)
	return d
}

// payAgain pays a settled gift a second time.
func (e ending) payAgain(d donation.Donation) {
	e.t.Helper()
	again := program.ChargeOf(d, e.Fake.Now())
	again.ChargeRef, again.IntentRef = "ch_again", "pi_again"
	outcomes, err := e.Settle(again)
	require.NoError(e.t, err)
	require.Equal(e.t, []donation.Outcome{donation.Suspense}, outcomes)
}

// wonAfterAll: the bank pays a lost dispute after all, which the stand-in's panel cannot do: the event about the loss
// comes before that about the win.
func (e ending) wonAfterAll(d donation.Donation) {
	e.t.Helper()
	e.Fake.Advance(time.Hour)
	id := e.dispute(d, false)
	require.NoError(e.t, e.Fake.CloseDispute(id, "won"))
	for _, body := range e.Fake.Bodies("tsne") {
		if closed := e.ParseEvent(body); closed.Type == "charge.dispute.closed" {
			lost := e.AlterEvent(closed, func(_, dispute map[string]any) {
				dispute["status"], dispute["balance_transactions"] = "lost", dispute["balance_transactions"].([]any)[:1]
			})
			e.Deliver(lost)
			e.DrainAll()
		}
	}
	require.Equal(e.t, []string{"dispute"}, e.Lines(`SELECT reason FROM receipt_void`))
	e.send()
	e.arrive()
}

// send sends the emails whose jobs wait, and forgets those sent before.
func (e ending) send() (kinds []string) {
	e.t.Helper()
	before := len(e.Mail.Messages())
	notices := mail.GiftNotices{Receipts: e.Receipts, Catalog: e.Catalog, Again: func(mail.GiveAgain, phrase.Language) string { return e.URL + "/give/csio" }}
	mailers := map[string]func(uuid.UUID) error{
		"receipt_letter":      func(id uuid.UUID) error { return e.Receipts.Mail(e.t.Context(), id) },
		"receipt_void_letter": func(id uuid.UUID) error { return e.Receipts.MailVoid(e.t.Context(), id) },
		"notice_letter":       func(id uuid.UUID) error { return notices.Mail(e.t.Context(), id) },
		"card_letter": func(id uuid.UUID) error {
			return mail.TributeCards{Mailer: e.Receipts.Mailer, Catalog: e.Catalog}.Mail(e.t.Context(), id)
		},
		"plan_letter": func(id uuid.UUID) error {
			return mail.Plans{Mailer: e.Receipts.Mailer, Catalog: e.Catalog, Links: e.Receipts.Plans}.Mail(e.t.Context(), id)
		},
	}
	var due []struct {
		ID   int64
		Kind string
		Args []byte
	}
	require.NoError(e.t, e.DB.Owner.Select(&due, `SELECT id, kind, args FROM river_job WHERE kind LIKE '%\_letter' ORDER BY id`))
	for _, job := range due {
		var args map[string]uuid.UUID
		require.NoError(e.t, json.Unmarshal(job.Args, &args))
		send := mailers[job.Kind]
		require.NotNil(e.t, send, job.Kind)
		for _, id := range args {
			require.NoError(e.t, send(id), job.Kind)
		}
		e.Exec(`DELETE FROM river_job WHERE id = $1`, job.ID)
	}
	all := e.Mail.Messages() // the newest is first
	for _, m := range all[:len(all)-before] {
		kind, _, _ := strings.Cut(m.MessageID, ".")
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return kinds
}

// ends makes each end of the table happen. before happens first, and its emails do not count.
var ends = map[string]struct {
	before func(e ending) donation.Donation
	end    func(e ending, d donation.Donation)
}{
	"a card pays": {ending.gift, func(e ending, d donation.Donation) { e.Pay(d); e.arrive() }},
	"a gift with a card in somebody's honour or memory is paid": {func(e ending) donation.Donation {
		form := program.ValidForm()
		form.Dedication = dedication.Dedication{Kind: dedication.Honour, Name: "Nana", CardName: "Bea", CardEmail: "bea@example.net"}
		return e.StartedGift(form)
	}, func(e ending, d donation.Donation) { e.Pay(d); e.arrive() }},
	"the payment page expires unpaid":     {ending.gift, func(e ending, _ donation.Donation) { e.pass(25 * time.Hour) }},
	"a bank debit is on its way":          {ending.gift, func(e ending, d donation.Donation) { e.debit(d, false) }},
	"a bank debit is paid":                {debited(false), func(e ending, _ donation.Donation) { e.pass(5 * 24 * time.Hour) }},
	"a bank debit is not paid":            {debited(true), func(e ending, _ donation.Donation) { e.pass(5 * 24 * time.Hour) }},
	"money comes that does not fit":       {nil, func(e ending, _ donation.Donation) { e.hold() }},
	"a gift is paid a second time":        {ending.settled, ending.payAgain},
	"money that does not fit is refunded": {ending.hold, func(e ending, d donation.Donation) { e.refund(d, 0) }},
	"the whole gift is refunded":          {ending.settled, func(e ending, d donation.Donation) { e.refund(d, 0) }},
	"a part is refunded":                  {ending.settled, func(e ending, d donation.Donation) { e.refund(d, 500) }},
	"the rest is refunded":                {partly, func(e ending, d donation.Donation) { e.refund(d, 0) }},
	"a gift is refunded in another year": {ending.settled, func(e ending, d donation.Donation) {
		e.Fake.Advance(366 * 24 * time.Hour)
		e.refund(d, 500)
	}},
	"the bank cannot deliver a refund":   {ending.settled, func(e ending, d donation.Donation) { bounce(e, e.refund(d, 0)) }},
	"an inquiry is opened":               {ending.settled, func(e ending, d donation.Donation) { e.dispute(d, true) }},
	"an inquiry is closed":               {ending.settled, func(e ending, d donation.Donation) { e.close(e.dispute(d, true), "closed") }},
	"a dispute withdraws the money":      {ending.settled, func(e ending, d donation.Donation) { e.dispute(d, false) }},
	"a dispute is won":                   {ending.settled, func(e ending, d donation.Donation) { e.close(e.dispute(d, false), "won") }},
	"a dispute is lost":                  {ending.settled, func(e ending, d donation.Donation) { e.close(e.dispute(d, false), "lost") }},
	"a lost dispute is won after all":    {ending.settled, ending.wonAfterAll},
	"a plan's first payment is not paid": {debitedPlan, func(e ending, _ donation.Donation) { e.pass(5 * 24 * time.Hour) }},
	"a plan's payment is paid":           {unlimited, func(e ending, _ donation.Donation) { e.pass(32 * 24 * time.Hour) }},
	"a plan's last payment is paid":      {ending.last, func(e ending, _ donation.Donation) { e.pass(32 * 24 * time.Hour) }},
	"a plan's payment fails":             {failing, func(e ending, _ donation.Donation) { e.pass(32 * 24 * time.Hour) }},
	"Stripe gives up":                    {givenUp, func(e ending, _ donation.Donation) { e.pass(40 * 24 * time.Hour) }},
	"the donor cancels a plan":           {unlimited, cancel},
	"a plan's subscription is ended at Stripe, and no stop of the donor waits": {unlimited, func(e ending, d donation.Donation) {
		require.NoError(e.t, e.Fake.CancelSubscription(e.subscription(d)))
		e.arrive()
	}},
	"an end of a plan is set at Stripe": {unlimited, func(e ending, d donation.Donation) {
		require.NoError(e.t, e.Fake.CancelAtPeriodEnd(e.subscription(d), true))
		e.arrive()
	}},
	"a plan's payment is disputed":           {unlimited, func(e ending, d donation.Donation) { e.dispute(d, false) }},
	"a dispute of a plan's payment is won":   {unlimited, func(e ending, d donation.Donation) { e.decide(d, "won") }},
	"a dispute of a plan's payment is lost":  {unlimited, func(e ending, d donation.Donation) { e.decide(d, "lost") }},
	"a plan's payment comes after its end":   {ending.settledPlan, ending.chargeEnded},
	"a gift is given by check, cash or wire": {nil, nil}, // tested by TestGiftByCheckFromStoringToErasure
}

func debited(refused bool) func(e ending) donation.Donation {
	return func(e ending) donation.Donation {
		d := e.gift()
		e.debit(d, refused)
		return d
	}
}

func debitedPlan(e ending) donation.Donation {
	form := program.ValidForm()
	form.Frequency = "monthly"
	d := e.StartedGift(form)
	e.debit(d, true)
	return d
}

func partly(e ending) donation.Donation {
	d := e.settled()
	e.refund(d, 500)
	return d
}

func bounce(e ending, refund string) {
	e.send() // the email about the refund
	require.NoError(e.t, e.Fake.FailRefund(refund))
	e.arrive()
}

func unlimited(e ending) donation.Donation { return e.plan("") }

func (e ending) last() donation.Donation { return e.plan("2") }

func (e ending) settledPlan() donation.Donation { return e.plan("12") }

func failing(e ending) donation.Donation {
	d := e.plan("")
	require.NoError(e.t, e.Fake.FailCard(e.subscription(d), "insufficient_funds", 0))
	return d
}

func givenUp(e ending) donation.Donation {
	d := failing(e)
	e.pass(32 * 24 * time.Hour)
	return d
}

func cancel(e ending, d donation.Donation) {
	_, err := e.Plans.Cancel(e.t.Context(), recurring.DonorRequest{PlanID: d.ID, SubmissionID: uuid.NewString(), Channel: planlink.BySession}, "")
	require.NoError(e.t, err)
	e.arrive()
}

// chargeEnded ends a plan here only, so that Stripe charges it once more, as it may when our request to end it is on
// its way.
func (e ending) chargeEnded(d donation.Donation) {
	e.Exec(`UPDATE plan SET status = 'finished', ended_at = now(), next_at = NULL WHERE id = $1`, d.ID)
	e.pass(32 * 24 * time.Hour)
}

// TestEveryEndHasItsEmail: each end of gifts, plans, refunds and disputes in the table of internal/mail/README.md has
// the emails that the table says. The report: a bank debit that failed after four days had no email, although the page
// after payment had said that the receipt comes by email.
func TestEveryEndHasItsEmail(t *testing.T) {
	rows, _ := readEnds(t)
	require.ElementsMatch(t, slices.Collect(maps.Keys(ends)), names(rows))
	for _, row := range rows {
		do := ends[row.name]
		if do.end == nil {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			e := ending{program.New(t, program.Options{Fake: stripefake.Options{}}), t}
			var d donation.Donation
			if do.before != nil {
				d = do.before(e)
				e.send()
			}
			do.end(e, d)
			sent := e.send()
			assert.Equal(t, row.emails, slices.Compact(sent))
			for _, stored := range row.stored {
				place, value, _ := strings.Cut(stored, " ")
				table, column, _ := strings.Cut(place, ".")
				assert.NotZero(t, e.Count(fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s = $1`, table, column), value), stored)
			}
			assert.Empty(t, e.send(), "nothing is sent twice")
		})
	}
}

func names(rows []endRow) (all []string) {
	for _, r := range rows {
		all = append(all, r.name)
	}
	return all
}

// TestTableOfEndsIsWhole: every state that a gift, a plan, or a change of a payment can have in the database is in the
// table of ends, and so is every email about money.
func TestTableOfEndsIsWhole(t *testing.T) {
	rows, kinds := readEnds(t)
	schema, err := os.ReadFile("../../migrations/schema.sql")
	require.NoError(t, err)
	var stored, emails []string
	for _, r := range rows {
		stored, emails = append(stored, r.stored...), append(emails, r.emails...)
	}
	for constraint, place := range map[string]string{
		"donation_status_check": "donation.status", "plan_status_check": "plan.status", "payment_change_kind_check": "payment_change.kind",
		"receipt_void_reason_check": "receipt_void.reason", "donation_notice_kind_check": "donation_notice.kind", "payment_status_check": "payment.status",
		"plan_ended_because_check": "plan.ended_because",
	} {
		line := regexp.MustCompile(constraint + ` CHECK \(.*`).FindString(string(schema))
		values := regexp.MustCompile(`'([^']+)'::text`).FindAllStringSubmatch(line, -1)
		require.NotEmpty(t, values, constraint)
		for _, v := range values {
			noEnd := []string{"donation.status started", "plan.status started", "plan.status paused", "receipt_void.reason correction",
				"plan.ended_because unexpected"} // the email is that of its first payment, which is held
			if !slices.Contains(noEnd, place+" "+v[1]) {
				assert.Contains(t, stored, place+" "+v[1])
			}
		}
	}
	for _, kind := range kinds {
		if strings.HasPrefix(kind, "receipt") || strings.HasPrefix(kind, "gift_") || strings.HasPrefix(kind, "refund_") ||
			slices.Contains([]string{"card", "plan_failing", "plan_finished", "plan_failed", "plan_cancelled", "plan_refunded",
				"plan_stopped", "plan_ending", "plan_held", "plan_released", "plan_disputed"}, kind) {
			assert.Contains(t, emails, kind)
		}
	}
}
