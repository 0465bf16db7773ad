package portal_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/people/donoraccess"
	"konbit/internal/web/give"
	"konbit/internal/web/letters"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// changer is a donor with a recurring gift from the address ana@example.org, who changes the address.
type changer struct {
	*program.Program
	t    *testing.T
	plan donation.Donation
}

const newAddress = "new@example.net"

func newChanger(t *testing.T) changer {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	return changer{h, t, visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))}
}

// sentSince returns kind and recipient of the emails that were sent after the first n, sorted.
func (c changer) sentSince(n int) (sent []string) {
	all := c.Mail.Messages() // the newest is first
	for _, m := range all[:len(all)-n] {
		kind, _, _ := strings.Cut(m.MessageID, ".")
		sent = append(sent, kind+" "+m.To)
	}
	slices.Sort(sent)
	return sent
}

// told sends the emails about changed addresses that wait, and returns their kinds and recipients.
func (c changer) told() []string {
	c.t.Helper()
	before := len(c.Mail.Messages())
	var steps []int64
	require.NoError(c.t, c.DB.Owner.Select(&steps, `SELECT (args->>'step')::bigint FROM river_job WHERE kind = 'address_letter' ORDER BY id`))
	for _, n := range steps {
		require.NoError(c.t, c.SignIns.MailAddressChange(c.t.Context(), n))
	}
	c.Exec(`DELETE FROM river_job WHERE kind = 'address_letter'`)
	return c.sentSince(before)
}

// recipients sends an email of each stream about the donor's gifts, and returns the addresses that they went to.
func (c changer) recipients() (all []string) {
	c.t.Helper()
	before := len(c.Mail.Messages())
	d := c.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	plans := mail.Plans{Mailer: c.Receipts.Mailer, Catalog: c.Catalog, Links: c.Receipts.Plans}
	notices := mail.GiftNotices{Receipts: c.Receipts, Catalog: c.Catalog, Again: give.AgainLink(c.Server.BaseURL)}
	for _, id := range c.Lines(`SELECT id::text FROM receipt WHERE donation_id = $1`, d.ID) {
		require.NoError(c.t, c.Receipts.Mail(c.t.Context(), uuid.MustParse(id)))
	}
	event, told := program.NewID(), program.NewID()
	c.Exec(`INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1::uuid, $2, 'upcoming', $1::uuid::text, '{"frequency": "monthly", "amount": 2000}', now())`,
		event, c.plan.ID)
	require.NoError(c.t, plans.Mail(c.t.Context(), event))
	require.NoError(c.t, plans.MailFreshLink(c.t.Context(), c.plan.ID))
	c.Exec(`INSERT INTO donation_notice (id, donation_id, kind, cause, amount, currency, at) VALUES ($1, $2, $3, $4, 2000, 'USD', now())`,
		told, c.plan.ID, notice.RefundFailed, told.String())
	require.NoError(c.t, notices.Mail(c.t.Context(), told))
	entity := c.Offer("csio").Entity
	_, err := c.Statements.Correct(c.t.Context(), entity, time.Now().In(entity.Location()).Year(), time.Time{})
	require.NoError(c.t, err)
	for _, id := range c.Lines(`SELECT id::text FROM statement`) {
		require.NoError(c.t, mail.Statements{Mailer: c.Receipts.Mailer}.Mail(c.t.Context(), uuid.MustParse(id)))
	}
	for _, sent := range c.sentSince(before) {
		_, to, _ := strings.Cut(sent, " ")
		all = append(all, to)
	}
	require.GreaterOrEqual(c.t, len(all), 4)
	return slices.Compact(all)
}

// TestAddressThatNeverGave: the donor leaves a mailbox. The new address, from which nothing was given, can be added by
// its code; all addresses get an email; emails go where the donor chooses. The report: no code came to an address that
// never gave, and emails about the plan went to the old one for ever.
func TestAddressThatNeverGave(t *testing.T) {
	c := newChanger(t)
	require.Equal(t, []string{"ana@example.org"}, c.recipients())
	ana := visitor.New(t, c.Program).SignIn("ana@example.org")
	got := ana.Post("/portal/addresses", url.Values{"email": {newAddress}})
	require.Equal(t, http.StatusOK, got.StatusCode)
	_, code, _ := ana.SignInEmail()
	require.NotEmpty(t, code, "a code goes to the new address")
	require.Equal(t, newAddress, c.Mail.Messages()[0].To)
	require.Equal(t, http.StatusSeeOther, ana.Post("/portal/addresses/prove", url.Values{"email": {newAddress}, "code": {code}}).StatusCode)
	require.Equal(t, []string{"address_joined ana@example.org", "address_joined " + newAddress}, c.told(), "both are told")
	require.Equal(t, []string{"ana@example.org"}, c.recipients(), "emails go to the address of each gift until the donor chooses")

	choose := func(address string) int {
		return ana.Post("/portal/addresses/choose", url.Values{"email": {address}}).StatusCode
	}
	require.Equal(t, http.StatusSeeOther, choose(newAddress))
	require.Equal(t, []string{"address_chosen ana@example.org", "address_chosen " + newAddress}, c.told())
	require.Equal(t, http.StatusSeeOther, choose(newAddress))
	require.Empty(t, c.told(), "nothing changed")
	require.Regexp(t, `<option selected>`+newAddress, ana.Ask("GET", "/portal/details", nil).Page)
	require.Equal(t, []string{newAddress}, c.recipients())

	c.SettledGift(visitor.FormOf("bea@example.net", "Bea"))
	visitor.New(t, c.Program).SignIn("bea@example.net")
	for _, other := range []string{"bea@example.net", "nobody@example.net", "no address"} {
		require.Equal(t, http.StatusNotFound, choose(other), other)
	}
	require.Equal(t, []string{newAddress}, c.recipients())

	page := visitor.New(t, c.Program).SignIn(newAddress).Ask("GET", "/portal/plans", nil).Page
	require.Contains(t, page, "/portal/plans/"+c.Lines(`SELECT public_ref FROM plan`)[0], "the new address opens the same pages")

	require.Equal(t, http.StatusSeeOther, choose(""))
	require.Equal(t, []string{"address_chosen ana@example.org", "address_chosen " + newAddress}, c.told())
	require.Equal(t, []string{"ana@example.org"}, c.recipients())

	require.Equal(t, http.StatusSeeOther, choose(newAddress))
	require.Equal(t, http.StatusSeeOther, ana.Post("/portal/addresses/part", url.Values{"email": {newAddress}}).StatusCode)
	require.Equal(t, []string{"ana@example.org"}, c.recipients(), "an address that was removed gets nothing")
}

// TestChoosingAddressesNeedsAFreshSession: a forgotten session sends no emails elsewhere.
func TestChoosingAddressesNeedsAFreshSession(t *testing.T) {
	c := newChanger(t)
	ana := visitor.New(t, c.Program).SignIn("ana@example.org")
	token := ana.Token()
	c.Exec(`UPDATE session SET opened_at = opened_at - interval '2 hours'`)
	got := ana.Ask("POST", "/portal/addresses/choose", url.Values{"email": {"ana@example.org"}, "session": {token}})
	require.Equal(t, http.StatusForbidden, got.StatusCode)
	require.Zero(t, c.Count(`SELECT count(*) FROM mailbox WHERE chosen`))
}

// TestLostMailbox: an operator orders that the gifts of a donor who lost a mailbox move to a new address. Nothing
// changes until the link to the new address is used.
func TestLostMailbox(t *testing.T) {
	c := newChanger(t)
	ana := visitor.New(t, c.Program).SignIn("ana@example.org")
	thief := visitor.New(t, c.Program)                                      // reads the lost mailbox by now
	thief.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}) // no email is written for this one
	thief.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}})
	early, _, _ := thief.SignInEmail()
	request := mail.MoveRequest{SignIns: c.SignIns, MoveLink: letters.MoveLink(c.Server.BaseURL)}
	_, err := request.Send(t.Context(), "nobody@example.org", newAddress)
	require.ErrorIs(t, err, mail.ErrNoDonor)
	until, err := request.Send(t.Context(), "Ana@example.org", "New@Example.net")
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().AddDate(0, 0, 7), until, time.Hour)
	sent := c.Mail.Messages()[0]
	email, err := sent.Email()
	require.NoError(t, err)
	require.Equal(t, newAddress, sent.To)
	require.NotContains(t, email.Text, "ana@example.org", "the address is not proved yet")
	link := regexp.MustCompile(`http://\S+/addresses/move\S+#\S+`).FindString(email.Text)
	require.NotEmpty(t, link)

	nobody := visitor.New(t, c.Program)
	require.Equal(t, http.StatusOK, nobody.Ask("GET", "/addresses/move", nil).StatusCode)
	_, token, _ := strings.Cut(link, "#")
	for _, wrong := range []string{"", "x", token[:len(token)-1], "A" + token[1:]} {
		require.Equal(t, http.StatusUnprocessableEntity, nobody.Ask("POST", "/addresses/move", url.Values{"link": {wrong}}).StatusCode, wrong)
	}
	require.Equal(t, []string{"ana@example.org"}, c.recipients())

	got := nobody.Ask("POST", "/addresses/move", url.Values{"link": {link}}) // pasted whole
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, newAddress)
	require.Equal(t, http.StatusUnauthorized, nobody.Ask("GET", "/portal", nil).StatusCode, "it opens no session")
	require.Equal(t, []string{"address_joined ana@example.org", "address_joined " + newAddress}, c.told(), "both are told")
	require.Equal(t, []string{newAddress}, c.recipients())
	require.Equal(t, http.StatusUnauthorized, ana.Ask("GET", "/portal", nil).StatusCode, "sessions by the lost address end")
	require.Equal(t, http.StatusOK, nobody.Ask("POST", "/addresses/move", url.Values{"link": {token}}).StatusCode)
	require.Empty(t, c.told(), "a repeat changes nothing")

	require.Equal(t, http.StatusSeeOther, nobody.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ := nobody.SignInEmail()
	require.Empty(t, code, "whoever gets the lost address later does not sign in by it")
	require.Equal(t, http.StatusUnprocessableEntity, thief.Ask("POST", "/sign-in/link", url.Values{"link": {early}}).StatusCode, "nor by an email sent before")
	page := visitor.New(t, c.Program).SignIn(newAddress).Ask("GET", "/portal/plans", nil).Page
	require.Contains(t, page, "/portal/plans/"+c.Lines(`SELECT public_ref FROM plan`)[0])
	c.RequireNoFindings()
}

// TestLostMailboxOfOnePerson: the donor has proved both addresses, and lost the one where emails go.
func TestLostMailboxOfOnePerson(t *testing.T) {
	c := newChanger(t)
	ana := visitor.New(t, c.Program).SignIn("ana@example.org")
	require.Contains(t, ana.Post("/portal/addresses", url.Values{"email": {newAddress}}).Page, newAddress)
	_, code, _ := ana.SignInEmail()
	require.Equal(t, http.StatusSeeOther, ana.Post("/portal/addresses/prove", url.Values{"email": {newAddress}, "code": {code}}).StatusCode)
	require.Equal(t, http.StatusSeeOther, ana.Post("/portal/addresses/choose", url.Values{"email": {"ana@example.org"}}).StatusCode)
	c.told()
	require.Equal(t, []string{"ana@example.org"}, c.recipients())

	token, _ := c.Access.MoveToken(donoraccess.Move{DonorID: c.plan.DonorID, To: newAddress})
	move := func() {
		require.Equal(t, http.StatusOK, visitor.New(t, c.Program).Ask("POST", "/addresses/move", url.Values{"link": {token}}).StatusCode)
	}
	move()
	require.Equal(t, []string{newAddress}, c.recipients(), "emails go to the new address")
	require.Equal(t, []string{"address_joined ana@example.org", "address_joined " + newAddress}, c.told(), "both are told")
	require.Equal(t, http.StatusUnauthorized, ana.Ask("GET", "/portal", nil).StatusCode, "sessions by the lost address end")
	require.Equal(t, 1, c.Count(`SELECT count(*) FROM mailbox WHERE email = 'ana@example.org' AND closed`))
	again := visitor.New(t, c.Program).SignIn(newAddress)
	require.Contains(t, again.Ask("GET", "/portal/plans", nil).Page, "/portal/plans/"+c.Lines(`SELECT public_ref FROM plan`)[0])
	require.Equal(t, http.StatusSeeOther, again.Post("/portal/addresses/choose", url.Values{"email": {""}}).StatusCode)
	c.told()
	move()
	require.Empty(t, c.told(), "a repeat changes nothing that was chosen since")

	c.RequireNoFindings()
}

// TestLostMailboxThatNeverSignedIn: the lost address was never proved.
func TestLostMailboxThatNeverSignedIn(t *testing.T) {
	c := newChanger(t)
	token, _ := c.Access.MoveToken(donoraccess.Move{DonorID: c.plan.DonorID, To: newAddress})
	require.Equal(t, http.StatusOK, visitor.New(t, c.Program).Ask("POST", "/addresses/move", url.Values{"link": {token}}).StatusCode)
	require.Equal(t, []string{newAddress}, c.recipients())
	v := visitor.New(t, c.Program).SignIn(newAddress)
	require.Equal(t, http.StatusSeeOther, v.Post("/portal/addresses/choose", url.Values{"email": {""}}).StatusCode)
	plans, err := recurring.OfDonor(t.Context(), c.DB.Server, c.plan.DonorID)
	require.NoError(t, err)
	require.Contains(t, v.Ask("GET", "/portal/plans", nil).Page, plans[0].PublicRef)

	late := c.Access
	late.Now = func() time.Time { return time.Now().AddDate(0, 0, -8) }
	token, _ = late.MoveToken(donoraccess.Move{DonorID: c.plan.DonorID, To: "other@example.net"})
	require.Equal(t, http.StatusUnprocessableEntity, visitor.New(t, c.Program).Ask("POST", "/addresses/move", url.Values{"link": {token}}).StatusCode, "expired")
}
