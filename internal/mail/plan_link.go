package mail

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// KindPlanLink is the kind of the email with a valid link to a plan.
const KindPlanLink = "plan_link"

// MailFreshLink sends a valid link to a plan to the plan's address. The email is not stored: a repeated job sends
// another one. It sends nothing if there is no address or the donor was erased.
func (m Plans) MailFreshLink(ctx context.Context, id uuid.UUID) error {
	p, err := recurring.ByID(ctx, m.DB, id)
	if err != nil {
		return err
	}
	to, err := addresseeOf(ctx, m.DB, id)
	if err != nil || to == nil {
		return err
	}
	email, err := m.renderFreshLink(ctx, p, *to)
	if err != nil {
		return err
	}
	return m.SendUnstored(ctx, email, id)
}

func (m Plans) renderFreshLink(ctx context.Context, p plan.Plan, to donation.Contact) (*Email, error) {
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	entity, err := catalog.EntityByID(p.EntityID)
	if err != nil {
		return nil, err
	}
	o, err := catalog.OrganisationByID(p.OrganisationID)
	if err != nil {
		return nil, err
	}
	lang := phrase.Language(p.Language)
	link, err := m.Links.Of(ctx, p.PublicRef, lang)
	if err != nil {
		return nil, err
	}
	words := view.PlanEmailWords{
		Kind: "link", Language: lang, Donee: DoneeOf(entity), Organisation: o.Name.In(lang), Accent: o.Accent, Greeting: to.FirstName,
		Amount: p.NextCharge(), Every: string(p.Frequency), ManageURL: link.ManageURL, ManageCode: link.Code,
	}
	email := &Email{
		ID: m.NewID(), EntityID: entity.ID, Kind: KindPlanLink, List: planList, Sender: entity.Slug, From: entity.MailFrom,
		To: to.Email, ToName: strings.TrimSpace(to.FirstName + " " + to.LastName), Language: p.Language, Date: m.Now(), Gift: p.ID,
	}
	email.Subject, email.Text, email.HTML, err = m.View.PlanEmail(words)
	return email, err
}
