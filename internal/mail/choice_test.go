package mail_test

import (
	"bytes"
	"io"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/mail"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit/program"
)

// stopFields returns a message's header fields List-Unsubscribe and List-Unsubscribe-Post.
func stopFields(t *testing.T, m mailcatch.Message) (link, post string) {
	t.Helper()
	read, err := netmail.ReadMessage(bytes.NewReader(m.Raw))
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, read.Body)
	require.NoError(t, err)
	return read.Header.Get("List-Unsubscribe"), read.Header.Get("List-Unsubscribe-Post")
}

// quarterlyDonor is the program with one donor who has a quarterly plan.
type quarterlyDonor struct {
	*program.Program
	t     *testing.T
	donor uuid.UUID
	plans mail.Plans
	plan  uuid.UUID
}

// settledPlan begins a recurring gift and settles its first payment.
func settledPlan(h *program.Program, frequency string) donation.Donation {
	f := program.ValidForm()
	f.Frequency = frequency
	d := h.StartedGift(f)
	h.Pay(d)
	h.DeliverNew()
	h.DrainAll()
	return d
}

func newQuarterlyDonor(t *testing.T) quarterlyDonor {
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	h.Receipts.DKIM = []transport.DKIM{key(t, "tsne.example", ed25519PEM(t))}
	d := settledPlan(h, "quarterly")
	p := quarterlyDonor{Program: h, t: t, donor: d.DonorID, plan: d.ID}
	p.plans = mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}
	return p
}

// event inserts an event of the plan and returns its id.
func (p quarterlyDonor) event(kind string) uuid.UUID {
	id := program.NewID()
	p.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, $3, $1::uuid::text, '{"amount": 2000, "frequency": "quarterly", "n": 1}', now())`, id, p.plan, kind)
	return id
}

// statement issues the year's statement and returns its id.
func (p quarterlyDonor) statement() uuid.UUID {
	e := p.Offer("csio").Entity
	_, err := p.Statements.Issue(p.t.Context(), e, time.Now().In(e.Location()).Year(), nil)
	require.NoError(p.t, err)
	return uuid.MustParse(p.Lines(`SELECT id::text FROM statement ORDER BY n DESC LIMIT 1`)[0])
}

func (p quarterlyDonor) wish(kind string, wished bool) {
	require.NoError(p.t, pg.InTx(p.t.Context(), p.DB.Server, func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(p.t.Context(), tx, p.donor, kind, wished, "letter", time.Now())
	}))
}

// TestT29OnlyOptionalEmailsCanBeStopped: reminders and annual statements have both header fields, and the signature
// covers both, as another library verifies. Receipts and emails that need an action of the donor have neither.
func TestT29OnlyOptionalEmailsCanBeStopped(t *testing.T) {
	t.Parallel()
	p := newQuarterlyDonor(t)
	for _, kind := range []string{"payment failed", "finished", "given up", "cancelled", "paused", "resumed", "skipped", "changed", "card mended", "card expires"} {
		require.NoError(t, p.plans.Mail(t.Context(), p.event(kind)), kind)
	}
	require.NoError(t, p.Receipts.Mail(t.Context(), uuid.MustParse(p.Lines(`SELECT id::text FROM receipt`)[0])))
	all := p.Mail.Messages()
	require.Len(t, all, 11)
	for _, m := range all {
		link, post := stopFields(t, m)
		assert.Empty(t, link+post, m.Subject)
		require.NoError(t, verified(t, m.Raw, p.Receipts.DKIM[0])[0].Err)
	}

	require.NoError(t, p.plans.Mail(t.Context(), p.event("upcoming")))
	require.NoError(t, mail.Statements{Mailer: p.Receipts.Mailer}.Mail(t.Context(), p.statement()))
	stoppable := p.Mail.Messages()[:2]
	for _, m := range stoppable {
		link, post := stopFields(t, m)
		assert.Equal(t, "List-Unsubscribe=One-Click", post, m.Subject)
		assert.Regexp(t, `^<https://give\.example/letters/[A-Za-z0-9_-]{50,70}\?lang=en>$`, link)
		seen := verified(t, m.Raw, p.Receipts.DKIM[0])
		require.Len(t, seen, 1)
		require.NoError(t, seen[0].Err)
		assert.Subset(t, seen[0].HeaderKeys, []string{"From", "List-Unsubscribe", "List-Unsubscribe-Post"})
		for _, forged := range [][2]string{{"https://give.example/letters/", "https://evil.example/letters/"}, {"One-Click", "One-Crick"}} {
			other := bytes.Replace(m.Raw, []byte(forged[0]), []byte(forged[1]), 1)
			require.NotEqual(t, m.Raw, other)
			assert.Error(t, verified(t, other, p.Receipts.DKIM[0])[0].Err, forged[1])
		}
		email, err := m.Email()
		require.NoError(t, err)
		assert.Contains(t, email.Text, strings.Trim(link, "<>"), "the text contains the address too")
		assert.Contains(t, email.HTML, strings.Trim(link, "<>"))
	}
	first, _ := stopFields(t, stoppable[0])
	second, _ := stopFields(t, stoppable[1])
	assert.NotEqual(t, first, second, "each kind has its own address")

	p.Receipts.StopURL = func(uuid.UUID, string, phrase.Language) string { return "http://127.0.0.1:8080/letters/x" }
	p.plans.Mailer = p.Receipts.Mailer
	require.NoError(t, p.plans.Mail(t.Context(), p.event("upcoming")))
	link, post := stopFields(t, p.Mail.Messages()[0])
	assert.Equal(t, "<http://127.0.0.1:8080/letters/x>", link)
	assert.Empty(t, post, "RFC 8058 requires https")
}

// TestT29StopAppliesFromTheNextEmail, also to an email that was ordered or tried before. Such an email is recorded as
// cancelled: it is not a refusal, does not count in the backlog, and is not sent when the donor allows this kind
// again. Later emails are. Receipts are always sent.
func TestT29StopAppliesFromTheNextEmail(t *testing.T) {
	t.Parallel()
	p := newQuarterlyDonor(t)
	tried, ordered, statement := p.event("upcoming"), p.event("upcoming"), p.statement()
	p.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Defer})
	require.Error(t, p.plans.Mail(t.Context(), tried))
	p.Mail.SetFault(mailcatch.Fault{})
	p.wish(donor.KindReminders, false)
	p.wish(donor.KindStatements, false)
	statements := mail.Statements{Mailer: p.Receipts.Mailer}
	for range 3 {
		require.NoError(t, p.plans.Mail(t.Context(), tried))
		require.NoError(t, p.plans.Mail(t.Context(), ordered))
		require.NoError(t, statements.Mail(t.Context(), statement))
	}
	require.Empty(t, p.Mail.Messages())
	require.Equal(t, 3, p.Count(`SELECT count(*) FROM letter_delivery WHERE declined_at IS NOT NULL AND num_nonnulls(accepted_at, refused_at) = 0`))
	backlog, err := mail.ReadBacklog(t.Context(), p.DB.Server)
	require.NoError(t, err)
	require.Equal(t, mail.Backlog{}, backlog)
	refused, err := mail.RefusedSubjects(t.Context(), p.DB.Server)
	require.NoError(t, err)
	require.Empty(t, refused)
	about, err := mail.Deliveries(t.Context(), p.DB.Server, []uuid.UUID{ordered})
	require.NoError(t, err)
	require.Equal(t, mail.Cancelled, about[ordered][0].State())
	p.RequireNoFindings()
	_, err = p.DB.Owner.Exec(`UPDATE letter_delivery SET declined_at = NULL`)
	require.Error(t, err, "a delivery that was cancelled cannot be accepted later")

	require.NoError(t, p.plans.Mail(t.Context(), p.event("card expires")))
	require.NoError(t, p.Receipts.Mail(t.Context(), uuid.MustParse(p.Lines(`SELECT id::text FROM receipt`)[0])))
	require.Len(t, p.Mail.Messages(), 2, "emails that are not optional are sent")
	p.wish(donor.KindReminders, true)
	p.wish(donor.KindReminders, true)
	require.NoError(t, p.plans.Mail(t.Context(), ordered))
	require.NoError(t, p.plans.Mail(t.Context(), p.event("upcoming")))
	require.Len(t, p.Mail.Messages(), 3)
	require.Equal(t, []string{"reminders f", "statements f", "reminders t"}, p.Lines(`SELECT concat_ws(' ', kind, given) FROM donor_consent ORDER BY n`))
}
