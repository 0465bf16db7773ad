package office_test

import (
	"cmp"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/office/giftimport"
	"konbit/internal/office/offline"
	"konbit/internal/office/setup"
	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
	"konbit/migrations"
)

// place is where an object is: a legal entity, or one organisation in it.
type place struct{ entity, organisation string }

// covers reports whether a role in p is also held in other.
func (p place) covers(other place) bool {
	return p.entity == other.entity && (p.organisation == "" || p.organisation == other.organisation)
}

// places are where the objects are: a legal entity, two projects of it, and another legal entity with one organisation.
var places = []place{{"tsne", ""}, {"tsne", "csio"}, {"tsne", "selva"}, {"aina", ""}, {"aina", "aina"}}

// secret is a text of a place. What it is of says which roles read it there.
type secret struct {
	text string
	of   string // money: gifts, donors, amounts and tasks; log: ids, which the audit log has too; people: staff and their requests
}

// readers are the roles that read each kind of secret.
var readers = map[string][]string{
	"typing": {"entry", "finance", "auditor"}, "money": {"finance", "auditor"}, "log": {"finance", "auditor", "admin"}, "people": {"entry", "finance", "auditor", "admin"},
}

// kindOf returns what an object is of, by its key in visitor.OfficeObjects.
func kindOf(object string) string {
	if object == "approvals" || object == "bank" { // all approvals of newWorld are about roles; who types a batch chooses an account by its name
		return "people"
	}
	if object == "batches" || object == "imports" {
		return "typing"
	}
	return "money"
}

// world is a program with an object of each kind in each place.
type world struct {
	*program.Program
	objects map[string]map[place]string // by the key of visitor.OfficeObjects
	secrets map[place][]secret          // what no page shows to who may not read it
}

// newWorld makes in each organisation an invented donor with a gift, which the bank disputes, and a recurring gift; in each
// entity a task, money in suspense, and a request to take it out; and in each place a request for a role.
func newWorld(t *testing.T) world {
	h := program.New(t, program.Options{})
	file, err := setup.Read("second.yaml", []byte(secondProject))
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, file, time.Now(), program.NewID, false)
	require.NoError(t, err)
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	h.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	w := world{h, map[string]map[place]string{}, map[place][]secret{}}
	funds := map[string]string{"csio": "general", "selva": "trees", "aina": "land"}
	var gifts []donation.Donation
	for _, p := range places {
		w.askForRole(t, p)
		if p.organisation == "" {
			continue
		}
		f := visitor.FormOf("donor-of-"+p.organisation+"@example.org", "Canary"+p.organisation)
		f.Fund = funds[p.organisation]
		monthly := f
		monthly.Frequency, monthly.Occurrences = "monthly", "12"
		w.hide(p, "money", f.Contact.Email, f.Contact.FirstName)
		for i, f := range []donation.Form{f, monthly} {
			begun, err := h.SubmitFor(p.organisation, f)
			require.NoError(t, err)
			h.Pay(begun.Donation)
			if i == 0 {
				gifts = append(gifts, begun.Donation)
			}
		}
	}
	w.follow(t)
	for _, g := range gifts {
		_, err := h.Fake.Dispute(h.IntentOf(g), false)
		require.NoError(t, err)
	}
	for i, entity := range []string{"tsne", "aina"} {
		bank.AddAccount(t, h, entity, "account-of-"+entity, "all")
		_, err := h.Fake.AdjustBalance(entity, "network_cost_of_the_future", "usd", int64(1240+i))
		require.NoError(t, err)
		_, err = h.Fake.ManualPayout(entity, int64(100+i), false)
		require.NoError(t, err)
	}
	w.follow(t)
	for i, p := range places {
		w.typeBatch(t, p, 7730001+1009*i)
		if p.organisation == "" {
			w.beginDeposit(p, 6640001+1009*i)
			w.sendFile(t, p, 5550001+1009*i)
		}
		if p.organisation == "" {
			w.askAboutSuspense(t, p)
		}
		w.hide(p, "log", h.Lines(`SELECT unnest(ARRAY[g.id::text, g.donor_id::text]) FROM donation g JOIN organisation o ON o.id = g.organisation_id
			WHERE o.slug = $1 AND g.source <> 'office'`, p.organisation)...)
		w.hide(p, "typing", h.Lines(`SELECT unnest(ARRAY[g.id::text, g.donor_id::text]) FROM donation g JOIN organisation o ON o.id = g.organisation_id
			WHERE o.slug = $1 AND g.source = 'office'`, p.organisation)...)
		w.hide(p, "money", h.Lines(`SELECT r FROM donation g JOIN organisation o ON o.id = g.organisation_id
			JOIN payment y ON y.donation_id = g.id, unnest(ARRAY[g.public_ref, y.charge_ref]) r WHERE o.slug = $1 AND r <> ''`, p.organisation)...)
	}
	for kind, query := range visitor.OfficeObjects {
		w.objects[kind] = map[place]string{}
		for _, p := range places {
			found := h.Lines(query, p.entity, p.organisation)
			if len(found) == 0 {
				continue
			}
			w.objects[kind][p] = found[0]
			of := kindOf(kind)
			if slices.Contains([]string{"donors", "plans", "receipts", "disputes"}, kind) {
				of = "log"
			}
			found = slices.DeleteFunc(found, func(name string) bool { // staff who typed a gift read its ids
				return slices.Contains(w.secrets[p], secret{name, "typing"})
			})
			if kind != "payouts" { // the entries by which money of a project's funds was paid out name the payout, and the project reads them
				w.hide(p, of, found...)
			}
		}
		require.Contains(t, []int{2, 3, 5}, len(w.objects[kind]), "objects of %s: in both entities, in all organisations, or in all places", kind)
	}
	return w
}

func (w world) hide(p place, of string, texts ...string) {
	for _, text := range texts {
		w.secrets[p] = append(w.secrets[p], secret{text, of})
	}
}

// follow delivers the events of both entities, and reads their balances.
func (w world) follow(t *testing.T) {
	t.Helper()
	for range 2 { // a plan begins with its first payment
		w.DeliverNew()
		for _, body := range w.Fake.Bodies("aina") {
			require.Equal(t, http.StatusOK, w.PostWebhook("aina", body, stripefake.Sign(time.Now(), body, program.WebhookSecrets["aina"]...)))
		}
		w.DrainAll()
		w.RunPlanJobs()
	}
	_, err := w.Collector.Sweep(t.Context())
	require.NoError(t, err)
	w.RetryParked()
}

// askForRole makes a request for a role, which a second admin would approve, and in an entity a task.
func (w world) askForRole(t *testing.T, p place) {
	t.Helper()
	first := office.Add(t, w.DB.Owner, "requester", office.Role{Role: "admin", Entity: p.entity, Organisation: p.organisation})
	second := office.Add(t, w.DB.Owner, "promoted"+p.entity+p.organisation, office.Role{Role: "entry", Entity: p.entity, Organisation: p.organisation})
	scope := visitor.ScopeOf(t, w.Program, p.entity, p.organisation)
	r := approval.Request{
		ID: program.NewID(), EntityID: scope.EntityID, OrganisationID: scope.OrganisationID, Kind: approval.Roles, Subject: second.ID.String(), RequestedBy: first.ID,
		Body: staff.ChangeText(staff.Grant, staff.RoleChange{StaffID: second.ID, Role: staff.Finance, Scope: scope}),
	}
	require.NoError(t, first.InTx(t, w.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(t.Context(), tx, r, nil) }))
	w.hide(p, "people", r.ID.String())
	if p.organisation != "" { // roles of the whole entity are held in its projects too, and their pages show them
		w.hide(p, "people", second.ID.String())
		return
	}
	subject := "canary-" + uuid.NewString()
	w.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), id, 'staff_break_glass', $2, now() - interval '1 day'
		FROM legal_entity WHERE slug = $1`, p.entity, subject)
	w.hide(p, "money", subject)
}

// typeBatch makes a batch with a row in a place. Its number is of this place alone: those of two entities are the same otherwise.
func (w world) typeBatch(t *testing.T, p place, n int) {
	t.Helper()
	scope := visitor.ScopeOf(t, w.Program, p.entity, p.organisation)
	by := office.Add(t, w.DB.Owner, "types", office.Role{Role: "entry", Entity: p.entity, Organisation: p.organisation})
	organisation := map[string]string{"tsne": "csio", "aina": "aina"}[p.entity]
	if p.organisation != "" {
		organisation = p.organisation
	}
	o, err := w.CurrentCatalog().Organisation(organisation)
	require.NoError(t, err)
	typed := offline.Typed{"first_name": "Canarytyped" + p.entity + cmp.Or(p.organisation, "whole"), "amount": "25"}
	var b offline.Batch
	require.NoError(t, by.InTx(t, w.DB.Server, func(tx *sqlx.Tx) (err error) {
		b, err = offline.BeginTx(t.Context(), tx, offline.Batch{
			ID: program.NewID(), EntityID: scope.EntityID, OrganisationID: scope.OrganisationID, ReceivedOn: ledger.Date{Year: 2026, Month: 1, Day: 5}, Counted: 1,
			TotalMinor: 25_00, Currency: "USD", Submission: program.NewID(),
		})
		if err != nil {
			return err
		}
		_, err = offline.StoreTx(t.Context(), tx, b, 0, program.NewID(), typed, offline.Meaning{
			Method: offline.Check, GivenBy: offline.Person, Minor: 25_00, Parts: []offline.Part{{FundID: w.CurrentCatalog().Open(o.ID)[0].ID, Minor: 25_00}},
		})
		return err
	}))
	if p.organisation == "" { // its donor has no email: there are papers to print
		finance := office.Add(t, w.DB.Owner, "posts", office.Role{Role: "finance", Entity: p.entity})
		require.NoError(t, finance.InTx(t, w.DB.Server, func(tx *sqlx.Tx) error {
			_, err := w.Poster.PostTx(t.Context(), tx, w.CurrentCatalog(), b.ID, "")
			return err
		}))
		w.hide(place{p.entity, organisation}, "typing", typed["first_name"]) // of a fund of an organisation, whose members see it
	}
	w.Exec(`ALTER TABLE gift_batch DISABLE TRIGGER USER`)
	w.Exec(`UPDATE gift_batch SET n = $2 WHERE id = $1`, b.ID, n)
	w.Exec(`ALTER TABLE gift_batch ENABLE TRIGGER USER`)
	if p.organisation != "" {
		w.hide(p, "typing", typed["first_name"])
	}
}

// beginDeposit makes a deposit of an entity. Its number is of this entity alone.
func (w world) beginDeposit(p place, n int) {
	w.Exec(`ALTER TABLE deposit DISABLE TRIGGER USER`)
	w.Exec(`INSERT INTO deposit (id, entity_id, n, currency, submission) SELECT gen_random_uuid(), e.id, $2, e.currency, gen_random_uuid() FROM legal_entity e WHERE e.slug = $1`, p.entity, n)
	w.Exec(`ALTER TABLE deposit ENABLE TRIGGER USER`)
}

// sendFile sends a file with gifts of an entity. The number of its import is of this entity alone.
func (w world) sendFile(t *testing.T, p place, n int) {
	t.Helper()
	name := "Canaryfile" + p.entity
	raw := []byte("First name,Amount,Date,Fund\n" + name + ",many,2026-01-05,general\n")
	table, err := giftimport.ReadTable(raw)
	require.NoError(t, err)
	by := office.Add(t, w.DB.Owner, "sends", office.Role{Role: "entry", Entity: p.entity})
	id := program.NewID()
	require.NoError(t, by.InTx(t, w.DB.Server, func(tx *sqlx.Tx) error {
		_, err := giftimport.UploadTx(t.Context(), tx, id, visitor.ScopeOf(t, w.Program, p.entity, "").EntityID, "gifts.csv", raw, table)
		return err
	}))
	w.Exec(`ALTER TABLE gift_import DISABLE TRIGGER USER`)
	w.Exec(`UPDATE gift_import SET n = $2 WHERE id = $1`, id, n)
	w.Exec(`ALTER TABLE gift_import ENABLE TRIGGER USER`)
	w.hide(p, "typing", name)
}

// askAboutSuspense makes a request to book what is in suspense in an entity.
func (w world) askAboutSuspense(t *testing.T, p place) {
	t.Helper()
	id := visitor.ScopeOf(t, w.Program, p.entity, "").EntityID
	open, err := suspense.Open(t.Context(), w.DB.Owner, id, 0, 10)
	require.NoError(t, err)
	require.NotEmpty(t, open, p.entity)
	act := suspense.Act{
		EntityID: id, Subject: open[0].Subject, Minor: open[0].Minor, Currency: open[0].Currency, Account: ledger.ProcessingFees, Reason: "canary reason of " + p.entity,
	}
	by := office.Add(t, w.DB.Owner, "asks", office.Role{Role: "finance", Entity: p.entity})
	r := act.RequestOf(program.NewID(), program.NewID(), by.ID)
	require.NoError(t, by.InTx(t, w.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(t.Context(), tx, r, nil) }))
	w.hide(p, "money", act.Reason, act.Subject)
	w.hide(p, "log", r.ID.String())
}

// secondProject is another project of the sponsor of csio. The other entity gets recurring gifts.
const secondProject = `
entities:
  - slug: tsne
    legal_name: TSNE MissionWorks
    ein: "12-3456789"
    address: {line1: "1 Example Street", city: Boston, region: MA, postal_code: "02111", country: US}
    timezone: America/New_York
    currency: USD
    mail_from: "TSNE MissionWorks <gifts@tsne.example>"
    processing_fee: {borne_by: fund, estimate: {basis_points: 290, fixed: 30}}
    sponsor_fee: {basis_points: 700, of: gross}
  - slug: aina
    legal_name: Aina Foundation
    ein: "98-7654321"
    address: {line1: "2 Example Street", city: Honolulu, region: HI, postal_code: "96813", country: US}
    timezone: Pacific/Honolulu
    currency: USD
    mail_from: "Aina Foundation <gifts@aina.example>"
    processing_fee: {borne_by: operations, estimate: {basis_points: 290, fixed: 30}}
    sponsor_fee: {basis_points: 500, of: net}
organisations:
  - slug: aina
    entity: aina
    name: {en: Aina Foundation}
    languages: [en]
    amounts: {presets: [10, 20], minimum: 1, maximum: 25000}
    frequencies: [once, monthly]
    funds:
      - slug: land
        name: {en: Land}
        restriction: purpose
        purpose: {en: our grants to land defenders}
  - slug: selva
    entity: tsne
    name: {en: Selva}
    sponsored: true
    languages: [en]
    amounts: {presets: [10, 20], minimum: 5, maximum: 25000}
    frequencies: [once, monthly]
    funds:
      - slug: trees
        name: {en: Trees}
        restriction: purpose
        purpose: {en: trees}
`
