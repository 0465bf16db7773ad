package portal_test

import (
	"bytes"
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/offline"
	"konbit/internal/office/privacy"
	"konbit/internal/office/setup"
	"konbit/internal/office/statement"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/give"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// allLanguages is the organisation that offers every language.
const allLanguages = "grassroots-international"

// sender sends every kind of email in every language. No workers run: each email is sent when a test asks for it.
type sender struct {
	*program.Program
	t      *testing.T
	plans  mail.Plans
	askers map[string]*visitor.Visitor // the last browser in which a sign-in was asked for, by address
}

func newSender(t *testing.T) sender {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	file, err := os.ReadFile("../../../cmd/demo/demo.yaml")
	require.NoError(t, err)
	// The stand-in has an account of only one of the entities.
	file = bytes.ReplaceAll(file, []byte("entity: "+allLanguages), []byte("entity: tsne"))
	demo, err := setup.Read("demo.yaml", file)
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, demo, time.Now(), program.NewID, false)
	require.NoError(t, err)
	return sender{h, t, mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: h.Receipts.Plans}, map[string]*visitor.Visitor{}}
}

// giver is a person who gives in a language: each month from one address, and once from another.
type giver struct {
	lang           phrase.Language
	address, other string
	plan           plan.Plan
	once           donation.Donation
}

// newGiver makes the gifts of a person. The monthly gift is of $20, the other of $77.
func (s sender) newGiver(lang phrase.Language) giver {
	s.t.Helper()
	g := giver{lang: lang, address: "ana-" + string(lang) + "@example.org", other: "perez-" + string(lang) + "@example.net"}
	monthly := visitor.FormOf(g.address, "Ana")
	monthly.Language, monthly.Fund, monthly.Frequency = lang, "where-needed-most", "monthly"
	begun, err := s.SubmitFor(allLanguages, monthly)
	require.NoError(s.t, err)
	s.Pay(begun.Donation)
	s.DeliverNew()
	s.DrainAll()
	s.RunPlanJobs()
	g.plan, err = recurring.ByID(s.t.Context(), s.DB.Server, begun.Donation.ID)
	require.NoError(s.t, err)
	require.Equal(s.t, plan.Active, g.plan.Status)

	once := visitor.FormOf(g.other, "Ana")
	once.Language, once.Fund, once.Amount, once.AmountOther = lang, "where-needed-most", "other", "77"
	once.Dedication = dedication.Dedication{Kind: dedication.Honour, Name: "Nana", CardName: "Bea", CardEmail: "bea-" + string(lang) + "@example.net", CardMessage: "With love"}
	begun, err = s.SubmitFor(allLanguages, once)
	require.NoError(s.t, err)
	g.once = begun.Donation
	_, err = s.Settle(program.ChargeOf(g.once, time.Now()))
	require.NoError(s.t, err)
	return g
}

// receiptOf returns the newest receipt of a gift.
func (s sender) receiptOf(gift uuid.UUID) receipt.Receipt {
	s.t.Helper()
	latest, err := receipt.Latest(s.t.Context(), s.DB.Server, []uuid.UUID{gift})
	require.NoError(s.t, err)
	return latest[gift]
}

func (s sender) tx(do func(tx *sqlx.Tx) error) {
	s.t.Helper()
	require.NoError(s.t, pg.InTx(s.t.Context(), s.DB.Server, do))
}

// sendReceipts sends the first receipts and the card.
func (s sender) sendReceipts(g giver) {
	s.t.Helper()
	require.NoError(s.t, s.Receipts.Mail(s.t.Context(), s.receiptOf(g.plan.ID).ID))
	require.NoError(s.t, s.Receipts.Mail(s.t.Context(), s.receiptOf(g.once.ID).ID))
	require.NoError(s.t, mail.TributeCards{Mailer: s.Receipts.Mailer, Catalog: s.Catalog}.Mail(s.t.Context(), g.once.ID))
}

// reviseReceipts returns a part of the monthly gift and all of the other gift, and sends the emails about it.
func (s sender) reviseReceipts(g giver) {
	s.t.Helper()
	old, change := s.receiptOf(g.plan.ID), receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_" + string(g.lang)}
	facts, line := old.Facts, old.Facts.Lines[0]
	line.Amount = money.New(1500, "USD")
	facts.Amount, facts.Lines = line.Amount, []receipt.Line{line}
	facts.Returned = &receipt.Returned{Charged: old.Facts.Amount, Amount: money.New(500, "USD"), On: change.On}
	s.tx(func(tx *sqlx.Tx) error {
		_, err := s.ReceiptIssuer.ReplaceTx(s.t.Context(), tx, []receipt.Replacement{{Of: old.ID, Facts: facts, Change: change}}, time.Now())
		return err
	})
	require.NoError(s.t, s.Receipts.Mail(s.t.Context(), s.receiptOf(g.plan.ID).ID))
	s.Exec(`INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at)
		SELECT entity_id, $2, 'refund', id, 7700, now() FROM payment WHERE charge_ref = $1`, "ch_"+g.once.ID.String(), change.By)
	void := s.receiptOf(g.once.ID).ID
	s.tx(func(tx *sqlx.Tx) error {
		return s.ReceiptIssuer.VoidTx(s.t.Context(), tx, []receipt.Void{{Of: void, Change: change}}, time.Now())
	})
	require.NoError(s.t, s.Receipts.MailVoid(s.t.Context(), void))
}

// sendNotices sends every email about money of a gift that no receipt is about.
func (s sender) sendNotices(g giver) {
	s.t.Helper()
	notices := mail.GiftNotices{Receipts: s.Receipts, Catalog: s.Catalog, Again: give.AgainLink(s.Server.BaseURL)}
	for _, kind := range []notice.Kind{notice.Failed, notice.Held, notice.Returned, notice.RefundFailed, notice.RefundedLater} {
		id := program.NewID()
		s.Exec(`INSERT INTO donation_notice (id, donation_id, kind, cause, amount, currency, at) VALUES ($1, $2, $3, $4, 2000, 'USD', now())`, id, g.plan.ID, kind, id.String())
		require.NoError(s.t, notices.Mail(s.t.Context(), id), kind)
	}
}

// sendThanks sends the letter of thanks for a gift of a foundation, which gets no receipt.
func (s sender) sendThanks(g giver) {
	s.t.Helper()
	row := offline.Typed{
		"organisation": "Foundation " + string(g.lang), "email": "foundation-" + string(g.lang) + "@example.org", "given_by": "foundation", "amount": "500", "number": "1",
	}
	visitor.PostBatch(s.t, s.Program, "grassroots-international", row)
	s.Exec(`UPDATE donor SET language = $2 WHERE organisation_name = $1`, row["organisation"], g.lang)
	row["donor_id"] = s.Lines(`SELECT id FROM donor WHERE organisation_name = $1`, row["organisation"])[0]
	visitor.PostBatch(s.t, s.Program, "grassroots-international", row)
	for _, id := range s.Lines(`SELECT args->>'letter_id' FROM river_job WHERE kind = 'thank_you_letter'`) {
		require.NoError(s.t, mail.ThankYous{Mailer: s.Receipts.Mailer}.Mail(s.t.Context(), uuid.MustParse(id)))
	}
}

// sendStatements issues the year's statements and sends them. Issued again after a change, they are corrections.
func (s sender) sendStatements() {
	s.t.Helper()
	e := s.Offer("csio").Entity
	year := time.Now().In(e.Location()).Year()
	emails := mail.Statements{Mailer: s.Receipts.Mailer, Issuer: s.Statements}
	for _, id := range s.Lines(`SELECT id::text FROM donor`) {
		require.NoError(s.t, emails.MailSoFar(s.t.Context(), statement.SoFarJob{DonorID: uuid.MustParse(id), Year: year}))
	}
	_, err := s.Statements.Issue(s.t.Context(), e, year, nil)
	require.NoError(s.t, err)
	_, err = s.Statements.Correct(s.t.Context(), e, year, time.Time{})
	require.NoError(s.t, err)
	for _, id := range s.Lines(`SELECT id::text FROM statement ORDER BY n`) {
		require.NoError(s.t, emails.Mail(s.t.Context(), uuid.MustParse(id)))
	}
}

// Events of plans with an email, while the plan runs and when it ends.
var (
	runningEvents = []string{
		"payment failed", "paused", "resumed", "skipped", "changed", "card mended", "card expires", "upcoming", "changed at stripe", "end set",
		"end removed", "paused at stripe", "held", "dispute won", "card needed",
	}
	endingEvents = []string{"finished", "given up", "cancelled", "stopped at stripe", "stopped by dispute", "payment refused"}
)

// sendEvents records events of a plan and sends their emails.
func (s sender) sendEvents(g giver, kinds []string) {
	s.t.Helper()
	soon := time.Now().AddDate(0, 1, 0)
	for _, kind := range kinds {
		id := program.NewID()
		detail := plan.Detail{N: 3, Amount: 2000, Frequency: "monthly", Until: &soon, Next: &soon, Code: "insufficient_funds", Last4: "4242", Brand: "visa", Given: 6000,
			Ends: &soon, Before: 1500, FrequencyBefore: "weekly"}
		s.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, $3, $1::uuid::text, $4, now())`, id, g.plan.ID, kind, detail)
		require.NoError(s.t, s.plans.Mail(s.t.Context(), id), kind)
	}
}

// cancel ends a giver's plan.
func (s sender) cancel(g giver) {
	s.t.Helper()
	_, err := s.Plans.Cancel(s.t.Context(), recurring.DonorRequest{PlanID: g.plan.ID, SubmissionID: uuid.NewString(), Channel: planlink.BySession}, "")
	require.NoError(s.t, err)
	s.RunPlanJobs()
}

// sendSignIn sends a sign-in email and returns the browser that asked, with the secrets of the email.
func (s sender) sendSignIn(g giver) (asker *visitor.Visitor, token, code string) {
	s.t.Helper()
	asker = visitor.New(s.t, s.Program)
	got := asker.Ask("POST", "/sign-in?lang="+string(g.lang), url.Values{"email": {g.address}})
	require.Equal(s.t, http.StatusSeeOther, got.StatusCode)
	token, code, _ = asker.SignInEmail()
	require.NotEmpty(s.t, token)
	s.askers[g.address] = asker
	return asker, token, code
}

// signIn signs a giver in.
func (s sender) signIn(g giver) *visitor.Visitor {
	s.t.Helper()
	v, token, _ := s.sendSignIn(g)
	require.Equal(s.t, http.StatusSeeOther, v.Ask("POST", "/sign-in/link", url.Values{"link": {token}}).StatusCode)
	return v
}

// sendAddresses links an address to a signed-in person's, chooses it and unlinks it, and sends the emails about it.
func (s sender) sendAddresses(v *visitor.Visitor, address string) {
	s.t.Helper()
	s.link(v, address)
	require.Equal(s.t, http.StatusSeeOther, v.Post("/portal/addresses/choose", url.Values{"email": {address}}).StatusCode)
	require.Equal(s.t, http.StatusSeeOther, v.Post("/portal/addresses/part", url.Values{"email": {address}}).StatusCode)
	var steps []int64
	require.NoError(s.t, s.DB.Owner.Select(&steps, `SELECT n FROM mailbox_step WHERE email = $1 AND kind <> 'proved'`, address))
	require.Len(s.t, steps, 3)
	for _, n := range steps {
		require.NoError(s.t, s.SignIns.MailAddressChange(s.t.Context(), n))
	}
}

// link links an address to a signed-in person's.
func (s sender) link(v *visitor.Visitor, address string) {
	s.t.Helper()
	v.Post("/portal/addresses", url.Values{"email": {address}})
	_, code, _ := v.SignInEmail()
	require.Equal(s.t, http.StatusSeeOther, v.Post("/portal/addresses/prove", url.Values{"email": {address}, "code": {code}}).StatusCode)
}

// erase erases a giver's monthly gift's donor and sends both emails about it. The plan has ended.
func (s sender) erase(g giver) {
	s.t.Helper()
	emails := mail.Erasures{Mailer: s.Receipts.Mailer, Privacy: s.Privacy, Catalog: s.Catalog}
	e, err := s.Privacy.Request(s.t.Context(), privacy.ErasureRequest{
		Donors: []uuid.UUID{g.plan.DonorID}, Addresses: []string{g.address}, Recipient: g.address, Language: string(g.lang), RequestedBy: "donor",
	})
	require.NoError(s.t, err)
	require.NoError(s.t, emails.Mail(s.t.Context(), e.ID))
	s.AgeErasures()
	require.NoError(s.t, s.OwnersPrivacy().Erase(s.t.Context(), e.ID))
	require.NoError(s.t, emails.MailCompleted(s.t.Context(), e.ID))
}

// sendDigest sends the daily head of the books to an auditor.
func (s sender) sendDigest() {
	s.t.Helper()
	testkit.Eventually(s.t, 20*time.Second, func() error {
		_, err := ledger.Seal(s.t.Context(), s.DB.Server)
		return err
	})
	digest := s.AuditDigest
	digest.To = []string{"auditor@example.org"}
	n, err := digest.RecordHeads(s.t.Context())
	require.NoError(s.t, err)
	require.Positive(s.t, n)
	for _, id := range s.Lines(`SELECT args->>'head_id' FROM river_job WHERE kind = 'ledger_head_letter'`) {
		require.NoError(s.t, digest.Mail(s.t.Context(), uuid.MustParse(id)))
	}
}

// sentEmail is an email with its links and codes.
type sentEmail struct {
	kind  string
	lang  phrase.Language
	to    string
	links []string // each once: addresses, and codes as they are printed
}

var anyLink = regexp.MustCompile(`(?:https?://|mailto:)[^\s"'<>]+`)

// readEmail reads the links of an email: in its text, its HTML and its header. Each link and code of the text is in the
// HTML too.
func readEmail(t *testing.T, m mailcatch.Message) sentEmail {
	t.Helper()
	email, err := m.Email()
	require.NoError(t, err)
	kind, _, _ := strings.Cut(m.MessageID, ".")
	page := html.UnescapeString(email.HTML)
	found := append(anyLink.FindAllString(email.Text, -1), planCode.FindAllString(email.Text, -1)...)
	for _, code := range signInCode.FindAllStringSubmatch(email.Text, -1) {
		found = append(found, code[1])
	}
	for _, link := range found {
		require.True(t, email.HTML == "" || strings.Contains(page, link), "%s: the HTML lacks %s", kind, link)
	}
	found = append(found, anyLink.FindAllString(page, -1)...)
	for fields := email.Header.Fields(); fields.Next(); {
		found = append(found, anyLink.FindAllString(fields.Value(), -1)...)
	}
	slices.Sort(found)
	return sentEmail{kind, phrase.Language(email.Header.Get("Content-Language")), m.To, slices.Compact(found)}
}

var signInCode = regexp.MustCompile(`(?m)^    (\d{4} \d{4})\r?$`)
