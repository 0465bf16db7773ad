package chaos

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/owner"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func init() {
	register(Row{
		Name: "erasure", No: "T28", Short: 12, Long: 400, Prove: Erasure,
		Promise: "people erased while their receipts are sent, sent again and sent elsewhere, refunds and old webhooks come in, statements are issued, " +
			"their plans change, their sessions end and they use their own pages: no word about them is in a dump, as text or as hex, their receipts " +
			"open only with SECRET_KEY, and no transaction is a deadlock's victim",
	})
}

// erasedDonor is a person of the row: a donor with words that nobody else has.
type erasedDonor struct {
	donation.Donation
	form    donation.Form
	browser *visitor.Visitor
	token   string // of the forms of their pages
	donors  []donor.Donor
	linked  bool // their emails have a link to their plan again whenever it ended
}

// other returns the person's other address, with which they gave once.
func (p *erasedDonor) other() string { return secondAddress + p.form.Contact.Email }

// secondAddress begins the other address of each person.
const secondAddress = "second-"

// words returns what names the person.
func (p *erasedDonor) words() []string {
	c, d := p.form.Contact, p.form.Dedication
	return []string{c.FirstName, c.LastName, c.Email, c.Phone, c.AddressLine1, c.City, c.Note, d.Name, d.CardName, d.CardEmail, d.CardMessage}
}

// erasures is a program with people who are to be erased, and one who stays.
type erasures struct {
	*program.Program
	t      testing.TB
	r      *rand.Rand
	people []*erasedDonor
	stays  *erasedDonor
}

// erasedTogether is how many people are erased in one database. More of them are in others: each person's receipts are
// corrected until all people are erased.
const erasedTogether = 20

// Erasure erases Count people while everything that writes about them is at work, and then searches a dump.
func Erasure(t testing.TB, run Run) {
	for done := 0; done < run.Count; {
		n, seed := min(erasedTogether, run.Count-done), run.Seed+uint64(done)
		require.NoError(t, testkit.Try(t.Context(), fmt.Sprintf("people from %d", done), func(t testing.TB) { eraseTogether(t, seed, n) }))
		done += n
		run.Progress(n)
	}
}

func eraseTogether(t testing.TB, seed uint64, count int) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: seed | 1}, UnlimitedSignIn: true})
	w := &erasures{Program: h, t: t, r: rand.New(rand.NewPCG(seed, 23))}
	_, err := h.OwnersPrivacy().Prepare(t.Context(), 50*count+100)
	require.NoError(t, err)
	h.Exec(`UPDATE server_limit SET erased_a_day = $1, moved_a_day = 1000000`, 4*count)
	w.stays = w.person()
	for range count {
		w.people = append(w.people, w.person())
	}
	for _, p := range w.people {
		w.request(p)
	}
	h.AgeErasures()
	h.Exec(`UPDATE erasure SET due_at = asked_at`)
	before := w.words()
	require.Len(t, before, 11*count, "the search finds them before")

	w.eraseUnderLoad()
	w.settle()
	require.Empty(t, w.words())
	require.Len(t, found(w.dump(), w.stays.words()), 11, "the search finds who stays")
	for _, p := range w.people {
		require.Empty(t, found([]byte(strings.ToLower(h.Log.String())), p.words()), "the log")
	}
	w.requireKept()
	require.Empty(t, testkit.Deadlocks(t, w.DB), "locks are taken in one order")
}

// person returns a person with words of their own who gave twice, and signs them in. Their emails are not sent yet.
func (w *erasures) person() *erasedDonor {
	word := func() string {
		letters := make([]byte, 10)
		for i := range letters {
			letters[i] = 'a' + byte(w.r.IntN(26))
		}
		return "Q" + string(letters)
	}
	p := &erasedDonor{form: program.ValidForm()}
	p.form.Contact = donation.Contact{Contact: contact.Contact{
		FirstName: word(), LastName: word(), Email: strings.ToLower(word()) + "@donor.example",
		Details: contact.Details{Phone: fmt.Sprintf("617%09d", w.r.IntN(1e9)), AddressLine1: word(), City: word(),
			Region: "MA", PostalCode: "02111", Country: "US"},
	}, Note: word()}
	p.form.Dedication = dedication.Dedication{
		Kind: dedication.Memory, Name: word(), CardName: word(), CardEmail: strings.ToLower(word()) + "@card.example", CardMessage: word(),
	}
	again := p.form
	again.FormID = program.ValidForm().FormID
	p.Donation = w.SettledGift(p.form)
	w.SettledGift(again)
	again.FormID, again.Contact.Email = program.ValidForm().FormID, p.other()
	w.SettledGift(again)
	p.browser = visitor.New(w.t, w.Program).SignIn(p.form.Contact.Email)
	p.token = p.browser.Token()
	visitor.New(w.t, w.Program).SignIn(p.form.Contact.Email) // on a phone too: two sessions are ended together
	p.linked = len(w.people)%2 == 0
	w.plan(p)
	return p
}

// plan makes a person's gift the payment of a plan that has ended. An email about the plan was sent, with a delivery that
// is locked before those of receipts. Half of the people have a link to the plan: staff and an erasure would wait for
// each other's links, and nobody would see in which order they lock the rest.
func (w *erasures) plan(p *erasedDonor) {
	w.Exec(`INSERT INTO plan (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, created_at, begun_at, ended_at)
		SELECT id, entity_id, organisation_id, donor_id, public_ref, 'cancelled', 'monthly', amount, 0, currency, language, now(), now(), now() FROM donation WHERE id = $1`, p.ID)
	w.Exec(`INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at, n, donation_id) SELECT entity_id, 'in_' || id, id, true, now(), 1, id FROM donation WHERE id = $1`, p.ID)
	w.Exec(`ALTER TABLE receipt DISABLE TRIGGER USER`)
	w.Exec(`UPDATE receipt r SET facts = r.facts || jsonb_build_object('instalment', jsonb_build_object('plan', g.id, 'plan_ref', g.public_ref, 'n', 1,
		'frequency', 'monthly', 'each', r.facts -> 'amount')) FROM donation g WHERE g.id = r.donation_id AND g.id = $1`, p.ID)
	w.Exec(`ALTER TABLE receipt ENABLE TRIGGER USER`)
	w.Exec(`WITH e AS (INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES (gen_random_uuid(), $1, 'ended', 'x', '{}', now()) RETURNING id),
		l AS (INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
			SELECT gen_random_uuid(), p.entity_id, 'plan', e.id, 'x@tsne.example', e.id::text, 'x', now() FROM e, plan p WHERE p.id = $1 RETURNING id)
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at, accepted_at)
			SELECT ('00000000' || substr(id::text, 9))::uuid, id, $2, 'first', 'konbit', now(), now() FROM l`, p.ID, p.form.Contact.Email)
	if p.linked {
		_, err := w.PlanLinks.Current(w.t.Context(), p.ID, p.DonorID)
		require.NoError(w.t, err)
	}
}

func (w *erasures) request(p *erasedDonor) {
	var err error
	p.donors, err = donor.ByEmails(w.t.Context(), w.DB.Server, []string{p.form.Contact.Email, p.other()})
	require.NoError(w.t, err)
	_, err = w.Privacy.Request(w.t.Context(), privacy.ErasureRequest{
		Donors: donor.IDs(p.donors), Addresses: []string{p.form.Contact.Email, p.other()}, Language: "en", RequestedBy: "donor",
	})
	require.NoError(w.t, err)
}

// eraseUnderLoad erases everybody from two processes while writers run, each on the people in turn.
func (w *erasures) eraseUnderLoad() {
	w.StartWorkers() // emails of all gifts, and what comes in
	ctx, stop := context.WithTimeout(w.t.Context(), 5*time.Minute)
	defer stop()
	var load sync.WaitGroup
	for _, write := range []func(p *erasedDonor){w.redeliver, w.refund, w.sendAgain, w.usePages, w.enterProfile, w.correct,
		w.issueStatements, w.sendElsewhere, w.changePlan, w.signOut} {
		order := w.r.Perm(len(w.people))
		load.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				write(w.people[order[i%len(order)]])
			}
		})
	}
	var erasers sync.WaitGroup
	erasers.Go(func() {
		for ctx.Err() == nil && w.open() > 0 {
			_, err := w.Privacy.EraseDue(ctx)
			assert.NoError(w.t, err)
		}
	})
	erasers.Go(func() { w.eraseInAnyOrder(ctx) })
	erasers.Wait()
	stop()
	load.Wait()
	require.Zero(w.t, w.open(), "all are erased in time")
}

// eraseInAnyOrder erases the people one by one, as a second server does, in another order: two erasures of different
// people run at the same time.
func (w *erasures) eraseInAnyOrder(ctx context.Context) {
	for ctx.Err() == nil && w.open() > 0 {
		var id uuid.UUID
		err := w.DB.Server.GetContext(ctx, &id, `SELECT id FROM erasure WHERE done_at IS NULL ORDER BY random() LIMIT 1`)
		if err == nil {
			err = w.Privacy.Erase(ctx, id)
		}
		if ctx.Err() == nil && !errors.Is(err, sql.ErrNoRows) && !errors.Is(err, privacy.ErrWaits) && !fault.Is(err, fault.Conflict) {
			w.allow(err)
		}
	}
}

// open returns the number of erasures that are not done.
func (w *erasures) open() (n int) {
	assert.NoError(w.t, w.DB.Owner.Get(&n, `SELECT count(*) FROM erasure WHERE done_at IS NULL`))
	return n
}

// redeliver posts the events of a person's gift once more under new ids, as Stripe sends later events about it.
func (w *erasures) redeliver(p *erasedDonor) {
	for _, e := range w.EventsOf(p.Donation) {
		again := w.AlterEvent(e, func(map[string]any, map[string]any) {})
		signature := stripefake.Sign(time.Now(), again.Body, program.WebhookSecrets["tsne"]...)
		assert.Contains(w.t, []int{http.StatusOK, http.StatusServiceUnavailable}, w.PostWebhook("tsne", again.Body, signature))
	}
}

// refund returns one cent of a gift: its receipt is replaced, with an email.
func (w *erasures) refund(p *erasedDonor) {
	_, _ = w.Fake.Refund(w.IntentOf(p.Donation), 1) // refused when nothing is left
	bodies := w.Fake.Bodies("tsne")
	for _, body := range bodies[len(bodies)-2:] {
		w.PostWebhook("tsne", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["tsne"]...))
	}
	_, err := w.Collector.Sweep(w.t.Context())
	w.allow(err)
}

// sendAgain orders that the newest receipt is sent again.
func (w *erasures) sendAgain(p *erasedDonor) {
	latest, err := receipt.Latest(w.t.Context(), w.DB.Server, w.gifts(p))
	assert.NoError(w.t, err)
	for _, r := range latest {
		w.allow(mail.Resender{Receipts: w.Receipts, Queue: w.Queue}.Resend(w.t.Context(), r, "staff"))
	}
}

// sendElsewhere sends the newest receipt to another address of the person's, as staff do: the gift moves to the donor with
// that address, and the links may end.
func (w *erasures) sendElsewhere(p *erasedDonor) {
	latest, err := receipt.Latest(w.t.Context(), w.DB.Server, w.gifts(p))
	assert.NoError(w.t, err)
	for _, r := range latest {
		to := []string{p.form.Contact.Email, p.other()}[time.Now().UnixNano()%2]
		w.allow(mail.Resender{Receipts: w.Receipts, Queue: w.Queue}.Redirect(w.t.Context(), r, to, "staff"))
	}
	if p.linked {
		now, err := donation.ByID(w.t.Context(), w.DB.Server, p.ID)
		assert.NoError(w.t, err)
		_, err = w.PlanLinks.Current(w.t.Context(), p.ID, now.DonorID)
		w.allow(err)
	}
	time.Sleep(20 * time.Millisecond)
}

// changePlan stores another card with a plan, and an event about it.
func (w *erasures) changePlan(p *erasedDonor) {
	w.allow(pg.InTx(w.t.Context(), w.DB.Server, func(tx *sqlx.Tx) error {
		const event = `INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES (gen_random_uuid(), $1, 'x', gen_random_uuid()::text, jsonb_build_object('reason', $2::text), now())`
		if _, err := tx.Exec(`UPDATE plan SET card_brand = $2, card_last4 = '4242' WHERE id = $1`, p.ID, p.form.Contact.LastName); err != nil {
			return err
		}
		_, err := tx.Exec(event, p.ID, p.form.Contact.Note)
		return err
	}))
	time.Sleep(20 * time.Millisecond)
}

// signOut ends the person's sessions and links, as staff do.
func (w *erasures) signOut(p *erasedDonor) {
	_, err := w.Access.EndSessionsOfEmail(w.t.Context(), p.form.Contact.Email)
	w.allow(err)
	time.Sleep(20 * time.Millisecond)
}

// correct issues a receipt anew from facts that were read before.
func (w *erasures) correct(p *erasedDonor) {
	latest, err := receipt.Latest(w.t.Context(), w.DB.Server, w.gifts(p))
	assert.NoError(w.t, err)
	for id, r := range latest {
		change := receipt.Change{Reason: receipt.Corrected, On: "2026-01-01", By: "staff"}
		w.allow(pg.InTx(w.t.Context(), w.DB.Server, func(tx *sqlx.Tx) error {
			if _, err := donation.LockTx(w.t.Context(), tx, id); err != nil {
				return err
			}
			_, err := w.Settler.Receipts.ReplaceTx(w.t.Context(), tx, []receipt.Replacement{{Of: r.ID, Facts: r.Facts, Change: change}}, time.Now())
			return err
		}))
	}
	time.Sleep(20 * time.Millisecond) // a receipt is corrected now and then
}

// usePages opens the person's pages and saves their details, until the session is gone.
func (w *erasures) usePages(p *erasedDonor) {
	c, cookies := p.form.Contact, ""
	for name, value := range p.browser.Cookies {
		cookies += name + "=" + value + "; "
	}
	for _, do := range []struct {
		method, path string
		form         url.Values
	}{{"GET", "/portal", nil}, {"POST", "/portal/details", url.Values{
		"session": {p.token}, "first_name": {c.FirstName}, "last_name": {c.LastName}, "language": {"en"}, "phone": {c.Phone},
		"address_line1": {c.AddressLine1}, "city": {c.City}, "region": {c.Region}, "postal_code": {c.PostalCode}, "country": {c.Country},
	}}} {
		request, err := http.NewRequest(do.method, w.URL+do.path, strings.NewReader(do.form.Encode()))
		if !assert.NoError(w.t, err) {
			return
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Cookie", cookies)
		response, err := program.Client().Do(request)
		if assert.NoError(w.t, err) {
			_ = response.Body.Close()
		}
	}
}

// enterProfile writes what a page read before.
func (w *erasures) enterProfile(p *erasedDonor) {
	c := p.form.Contact
	w.allow(pg.InTx(w.t.Context(), w.DB.Server, func(tx *sqlx.Tx) error {
		profile := donor.Profile{FirstName: c.FirstName, LastName: c.LastName, Language: "en", Details: c.Details}
		return donor.UpdateProfileTx(w.t.Context(), tx, donor.IDs(p.donors), profile, time.Now())
	}))
}

func (w *erasures) issueStatements(p *erasedDonor) {
	entity := w.Offer("csio").Entity
	_, err := w.Statements.Issue(w.t.Context(), entity, p.ChargedAt.In(entity.Location()).Year(), nil)
	w.allow(err)
}

func (w *erasures) gifts(p *erasedDonor) []uuid.UUID {
	ids, err := donation.IDsByDonors(w.t.Context(), w.DB.Server, donor.IDs(p.donors))
	assert.NoError(w.t, err)
	return ids
}

// allow fails the test for an error that neither the erasure nor the other writers explain.
func (w *erasures) allow(err error) {
	for _, expected := range []error{nil, mail.ErrNoRecipient, mail.ErrWaiting, mail.ErrReceiptVoid, receipt.ErrReceiptVoid, owner.ErrErased} {
		if errors.Is(err, expected) {
			return
		}
	}
	assert.True(w.t, pg.IsTransient(err), "%v", err)
	var refused *pq.Error
	if errors.As(err, &refused) && refused.Code == pqerror.TRDeadlockDetected {
		w.t.Errorf("%v: %s\n%s", err, refused.Detail, refused.Where)
	}
}

// settle waits until nothing is to do any more, and runs the checkers of this promise as the server does each night.
func (w *erasures) settle() {
	testkit.Eventually(w.t, 5*time.Minute, func() error {
		if n := w.Count(`SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'discarded', 'cancelled')`); n > 0 {
			return fmt.Errorf("%d jobs to do", n)
		}
		if n := w.Count(`SELECT count(*) FROM stripe_event WHERE state = 'new'`); n > 0 {
			return fmt.Errorf("%d events to apply", n)
		}
		return nil
	})
	require.NoError(w.t, pg.InTx(w.t.Context(), w.DB.Server, func(tx *sqlx.Tx) error { return w.Privacy.RecordTracesTx(w.t.Context(), tx) }))
	require.Empty(w.t, w.Lines(`SELECT subject FROM check_erased_person`))
}
