package suspense

import (
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// giftTo begins the value of the field account that chooses a fund: the amount becomes a gift to it.
const giftTo = "gift "

// gift is what was typed about the donor of a gift.
type gift struct{ FirstName, LastName, Email string }

func giftOf(r *http.Request) gift {
	line := func(name string) string { return strings.Join(strings.Fields(r.PostForm.Get(name)), " ") }
	return gift{line("first_name"), line("last_name"), web.StoredEmail(r.PostForm.Get("email"))}
}

// check returns what is wrong with it. A donor without an address is a new one, and gets the receipt printed.
func (g gift) check() (problems []fault.Field) {
	if g.FirstName == "" {
		problems = append(problems, fault.Field{Name: "first_name", Phrase: "office.give.error.first_name.required"})
	}
	for name, text := range map[string]string{"first_name": g.FirstName, "last_name": g.LastName} {
		if len([]rune(text)) > 100 {
			problems = append(problems, fault.Field{Name: name, Phrase: "office.suspense.problem.long"})
		}
	}
	if g.Email != "" && !email.IsValid(g.Email) {
		problems = append(problems, fault.Field{Name: "email", Phrase: "office.give.error.email.format"})
	}
	return problems
}

// record returns the gift of an act to an open fund, whose code stands in the field account; false if there is none.
func (a *Area) record(v web.StaffVisit, account string, act suspense.Act, g gift) (donation.Record, bool) {
	code, ok := strings.CutPrefix(account, giftTo)
	f, err := v.Catalog.FundByCode(v.Entity.ID, code)
	if !ok || err != nil || !f.Open() || f.OrganisationID == uuid.Nil {
		return donation.Record{}, false
	}
	o, err := v.Catalog.OrganisationByID(f.OrganisationID)
	if err != nil {
		return donation.Record{}, false
	}
	language := o.Languages[0]
	return donation.Record{
		PublicRef: a.NewRef(), OrganisationID: o.ID, Language: language, Cause: v.Actor(),
		Donor: donor.Donor{
			ID: a.NewID(), FirstName: g.FirstName, LastName: g.LastName, Email: g.Email, Language: string(language), CreatedAt: a.Resolver.Now(),
		},
		Contact: donation.Contact{Contact: contact.Contact{FirstName: g.FirstName, LastName: g.LastName, Email: g.Email}},
		Parts:   []donation.Designation{{FundID: f.ID, Amount: act.Amount(), Covered: money.New(0, act.Currency)}},
	}, true
}

// askTx asks a second person for an act; of a gift it records the gift first.
func (a *Area) askTx(r *http.Request, tx *sqlx.Tx, act suspense.Act, g *donation.Record, ask approval.Request) error {
	if g != nil {
		if err := a.Resolver.RecordGiftTx(r.Context(), tx, act, *g); err != nil {
			return err
		}
	}
	return approval.RequestTx(r.Context(), tx, ask, nil)
}

// addGift adds to the form the open funds to which money that came may be a gift, and the fields of its donor.
func (a *Area) addGift(v web.StaffVisit, f *Form, form view.Form, in typed) {
	for _, o := range v.Catalog.Organisations() {
		if o.EntityID != v.Entity.ID {
			continue
		}
		for _, to := range v.Catalog.Open(o.ID) {
			code := giftTo + to.Code
			f.Funds = append(f.Funds, Account{code, o.Name.In(v.Language) + ", " + to.Name.In(v.Language), code == in.Account})
		}
	}
	f.Donor = []view.Field{
		desk.Field(form, a.View, "first_name", in.FirstName, view.Field{HideOptional: true}),
		desk.Field(form, a.View, "last_name", in.LastName, view.Field{HideOptional: true}),
		desk.Field(form, a.View, "email", in.Email, view.Field{Type: "email", HideOptional: true}),
	}
}
