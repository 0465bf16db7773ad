package batches_test

import (
	"net/url"
	"strconv"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donor"
	"konbit/internal/people/staff"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// desk is a program without a processor, with people who type and post.
type desk struct {
	*program.Program
	t           *testing.T
	june, clara *visitor.Member
	path        string // of the batch
}

func newDesk(t *testing.T, count int, total string) desk {
	t.Helper()
	h := program.New(t, program.Options{NoStripe: true})
	d := desk{Program: h, t: t}
	d.june = visitor.NewMember(t, h, "june@staff.example", staff.Entry, visitor.ScopeOf(t, h, "tsne", ""))
	d.clara = visitor.NewMember(t, h, "clara@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	page := d.june.Ask("GET", "/office/tsne/batches", nil)
	require.Equal(t, 200, page.StatusCode, page.Page)
	begun := d.june.PostOffice("/office/tsne/batches", url.Values{"submission": {visitor.HiddenFields(page.Page).Get("submission")}, "received_on": {"2026-01-05"},
		"count": {strconv.Itoa(count)}, "total": {total}, "fund": {"general"}})
	require.Equal(t, 303, begun.StatusCode, begun.Page)
	d.path = begun.Header.Get("Location")
	require.Equal(t, "/office/tsne/batches/1", d.path)
	return d
}

// typed posts a row as the page's form has it, with what is typed.
func (d desk) typed(from string, typed url.Values) visitor.Response {
	d.t.Helper()
	form := visitor.HiddenFields(from)
	form.Del("session")
	for name, values := range typed {
		form[name] = values
	}
	return d.june.PostOffice(d.path, form)
}

func (d desk) page() string {
	d.t.Helper()
	got := d.june.Ask("GET", d.path, nil)
	require.Equal(d.t, 200, got.StatusCode)
	return got.Page
}

// known adds a donor with a gift, whom the search finds.
func (d desk) known(first, last string) {
	d.t.Helper()
	require.NoError(d.t, pg.InTx(d.t.Context(), d.DB.Owner, func(tx *sqlx.Tx) error {
		id, gift, offer := program.NewID(), program.NewID(), d.Offer("csio")
		_, err := donor.FindOrAddTx(d.t.Context(), tx, donor.Donor{ID: id, EntityID: offer.Entity.ID, FirstName: first, LastName: last, Language: "en", CreatedAt: d.Server.Now()})
		if err == nil {
			_, err = tx.Exec(`INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency, language, anonymous,
				news, created_at, charged_at, source) VALUES ($1, $2, $3, $4, $5, 'started', 'once', 1, 'USD', 'en', false, false, now(), now(), 'office')`,
				gift, offer.Entity.ID, offer.Organisation.ID, id, program.NewRef())
		}
		if err == nil {
			_, err = tx.Exec(`INSERT INTO designation (donation_id, n, entity_id, fund_id, amount) VALUES ($1, 1, $2, $3, 1)`, gift, offer.Entity.ID, offer.Funds[0].ID)
		}
		return err
	}))
}

// TestTypingABatch types rows as a person does without a script: a new donor, a known one, one chosen by a digit; then finance posts.
func TestTypingABatch(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 4, "1,340.50")
	d.known("Rosa", "Lima")
	d.known("Rosa", "Lopez")
	d.known("Ben", "Arango")

	opened := d.typed(d.page(), url.Values{"donor": {"Carla Mejía"}})
	require.Equal(t, 422, opened.StatusCode)
	require.Contains(t, opened.Page, `id="first_name" name="first_name" type="text" value="Carla"`, "the fields of a new donor open in the row")
	require.Contains(t, opened.Page, `data-focus="first_name"`)
	stored := d.typed(opened.Page, url.Values{"donor": {"Carla Mejía"}, "first_name": {"Carla"}, "last_name": {"Mejía"}, "email": {"carla@example.org"}, "amount": {"1,250.5"}, "number": {"1001"}})
	require.Equal(t, 303, stored.StatusCode, stored.Page)

	only := d.typed(d.page(), url.Values{"donor": {"arang"}})
	require.Equal(t, 200, only.StatusCode)
	require.Contains(t, only.Page, "Ben Arango")
	require.Contains(t, only.Page, `data-focus="amount"`, "the only match is taken")
	require.Equal(t, 303, d.typed(only.Page, url.Values{"donor": {"arang"}, "amount": {"40"}, "number": {"="}}).StatusCode)

	choose := d.typed(d.page(), url.Values{"donor": {"rosa"}, "amount": {"25"}, "number": {"3"}})
	require.Equal(t, 200, choose.StatusCode)
	require.Contains(t, choose.Page, `data-digit="2"`)
	require.Contains(t, choose.Page, `name="amount" type="text" value="25"`, "what was typed stays")
	require.Equal(t, 303, d.typed(choose.Page, url.Values{"donor": {"2"}, "amount": {"25"}, "number": {"3"}}).StatusCode, "a digit in the field chooses")
	require.Equal(t, 303, d.typed(choose.Page, url.Values{"donor": {"2"}, "amount": {"25"}, "number": {"3"}}).StatusCode, "the same form is the same row")
	again := d.typed(d.page(), url.Values{"donor": {"="}, "amount": {"="}, "number": {"4"}})
	require.Equal(t, 303, again.StatusCode, again.Page)
	require.Equal(t, []string{"1 1001 125050 Carla ", "2 1001 4000  Arango", "3 3 2500  Lopez", "4 4 2500  Lopez"}, d.Lines(`SELECT concat_ws(' ', r.n, r.number, r.amount, coalesce(r.typed->>'first_name', ''),
		coalesce((SELECT last_name FROM donor WHERE id = r.donor_id), '')) FROM gift_batch_row r ORDER BY n`))
	require.Contains(t, d.page(), "4 rows, $1,340.50")
	require.Contains(t, d.page(), "None: it agrees")

	wrong := d.typed(d.page(), url.Values{"donor": {"arang"}, "amount": {"ten"}, "note": {"for the roof"}})
	require.Equal(t, 422, wrong.StatusCode)
	for _, kept := range []string{"Type an amount such as 25 or 1,250.50.", `value="ten"`, `value="for the roof"`, `data-focus="amount"`} {
		require.Contains(t, wrong.Page, kept)
	}

	require.Equal(t, 422, d.june.PostOffice(d.path, url.Values{"do": {"post"}}).StatusCode, "who types posts nothing")
	require.NotContains(t, d.page(), "post-button")
	require.Contains(t, d.clara.Ask("GET", d.path, nil).Page, "Post 4 gifts: $1,340.50")
	posted := d.clara.PostOffice(d.path, url.Values{"do": {"post"}})
	require.Equal(t, 303, posted.StatusCode, posted.Page)
	require.Equal(t, 303, d.clara.PostOffice(d.path, url.Values{"do": {"post"}}).StatusCode)
	require.Equal(t, 4, d.Count(`SELECT count(*) FROM payment`))
	shown := d.clara.Ask("GET", d.path, nil)
	require.Contains(t, shown.Page, "Posted: 4 gifts")
	require.Contains(t, shown.Page, "/office/tsne/gifts/")
	require.NotContains(t, shown.Page, "row-form")
	require.Equal(t, 422, d.typed("", url.Values{"donor": {"arang"}, "amount": {"1"}}).StatusCode, "nothing of it changes any more")

	require.Contains(t, shown.Page, "Print 3 papers for donors without email")
	printed := d.clara.Ask("GET", d.path+"/papers", nil)
	require.Equal(t, 200, printed.StatusCode)
	require.Equal(t, "application/pdf", printed.Header.Get("Content-Type"))
	text := testkit.PDFText([]byte(printed.Page))
	require.Contains(t, text, "Rosa Lopez")
	require.NotContains(t, text, "Carla", "she gets an email")
	require.Equal(t, 404, d.june.Ask("GET", d.path+"/papers", nil).StatusCode)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM audit_entry WHERE act = 'batch.printed'`))
}

// TestCorrectingARow: a row is corrected in place and can be removed; the total shows the difference.
func TestCorrectingARow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1, "52")
	require.Equal(t, 303, d.typed("", url.Values{"first_name": {"Rosa"}, "amount": {"25"}, "number": {"7"}}).StatusCode)
	require.Contains(t, d.page(), "0 rows, $27.00")
	edit := d.june.Ask("GET", d.path+"?row=1", nil)
	require.Equal(t, 200, edit.StatusCode)
	require.Contains(t, edit.Page, `value="25"`)
	form := visitor.HiddenFields(edit.Page)
	require.Equal(t, "1", form.Get("row"))
	require.Equal(t, 303, d.typed(edit.Page, url.Values{"first_name": {"Rosa"}, "amount": {"52"}, "number": {"7"}, "row": {"1"}}).StatusCode)
	require.Equal(t, []string{"5200"}, d.Lines(`SELECT amount FROM gift_batch_row`))
	require.Contains(t, d.page(), "None: it agrees")
	require.Equal(t, 404, d.june.Ask("GET", d.path+"?row=2", nil).StatusCode)
	require.Equal(t, 303, d.june.PostOffice(d.path, url.Values{"do": {"remove"}, "row": {"1"}}).StatusCode)
	require.Contains(t, d.page(), "No row yet")
	require.Equal(t, 303, d.june.PostOffice(d.path, url.Values{"do": {"put_away"}}).StatusCode)
	require.Equal(t, []string{"batch.begun", "batch.row_added", "batch.row_changed", "batch.row_removed", "batch.removed"},
		d.Lines(`SELECT act FROM audit_entry WHERE act LIKE 'batch.%' ORDER BY serial`))
}

// TestAnEndedSessionLosesNothing: what was typed when the session had ended is shown on the page that asks to sign in.
func TestAnEndedSessionLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1, "52")
	page := d.page()
	d.Exec(`UPDATE staff_session SET ended_at = now(), ended_because = 'signed out'`)
	form := visitor.HiddenFields(page)
	form["donor"], form["amount"], form["note"] = []string{"Rosa Lima"}, []string{"52.00"}, []string{"for the roof"}
	got := d.june.Ask("POST", d.path, form)
	require.Equal(t, 401, got.StatusCode)
	for _, typed := range []string{"Rosa Lima", "52.00", "for the roof"} {
		require.Contains(t, got.Page, typed)
	}
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM gift_batch`), "and the batch is there")
}

// TestANewPersonIsThankedToo: whom the search does not find is added with first and last name, and gets a letter of thanks when the batch is posted.
func TestANewPersonIsThankedToo(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 1, "500")
	row := url.Values{"organisation": {"Fidelity Charitable"}, "given_by": {"daf"}, "amount": {"500"}, "number": {"9"}, "soft_credit": {"Ana Paz"}}
	none := d.typed(d.page(), row)
	require.Equal(t, 422, none.StatusCode)
	require.Contains(t, none.Page, "A new person needs first and last name")
	require.Contains(t, none.Page, `name="credit_first_name" type="text" value="Ana"`)
	require.Contains(t, none.Page, `name="credit_last_name" type="text" value="Paz"`)
	row["credit_first_name"], row["credit_last_name"], row["credit_email"] = []string{"Ana"}, []string{"Paz"}, []string{"no address"}
	require.Equal(t, 422, d.typed(none.Page, row).StatusCode)
	row["credit_email"] = []string{"ana.paz@example.org"}
	require.Equal(t, 303, d.typed(none.Page, row).StatusCode)
	require.Zero(t, d.Count(`SELECT count(*) FROM donor`), "she is added when the batch is posted")
	require.Equal(t, 303, d.clara.PostOffice(d.path, url.Values{"do": {"post"}}).StatusCode)
	require.Equal(t, []string{"daf_adviser ana.paz@example.org Fidelity Charitable"}, d.Lines(`SELECT concat_ws(' ', y.words, y.person ->> 'email', y.person ->> 'other') FROM thank_you y
		JOIN donor p ON p.id = y.donor_id AND p.last_name = 'Paz' JOIN soft_credit c ON c.gift_id = y.gift_id AND c.donor_id = p.id
		JOIN gift_batch_row r ON r.gift_id = y.gift_id AND r.soft_credit = p.id`))
	d.RequireNoFindings()
}
