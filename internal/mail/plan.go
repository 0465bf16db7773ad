package mail

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/planterms"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// planList is the stream of emails about plans. Their kind is "plan_" and the kind of the event.
const planList = "plans"

func planKind(e plan.Event) string { return "plan_" + e.EmailKind() }

// PlanLinks makes the links in emails about plans; web implements it.
type PlanLinks interface {
	// Of returns the links to a plan by its public reference. They give access to nothing else.
	Of(ctx context.Context, ref string, lang phrase.Language) (PlanLink, error)
}

// PlanLink is a link to a plan. Both addresses open the same; Code opens it in a browser without scripts.
type PlanLink struct {
	ManageURL string // shows the plan
	CardURL   string // shows first how to give another card
	Code      string
}

// Plans sends the emails about events of plans.
type Plans struct {
	Mailer
	Catalog *fund.CatalogCache
	Links   PlanLinks
}

// Register registers the job that sends the email of an event.
func (m Plans) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job recurring.EmailJob) error { return m.Mail(ctx, job.EventID) })
	jobs.Handle(h, func(ctx context.Context, job planlink.FreshEmailJob) error { return m.MailFreshLink(ctx, job.PlanID) })
}

// Mail sends the email of an event to the plan's donor, once. It sends nothing if the donor was erased.
func (m Plans) Mail(ctx context.Context, event uuid.UUID) error {
	e, err := recurring.EventByID(ctx, m.DB, event)
	if err != nil {
		return err
	}
	return m.SendStored(ctx, planKind(e), e.ID, func() (*Email, error) { return m.render(ctx, e) })
}

func (m Plans) render(ctx context.Context, e plan.Event) (*Email, error) {
	p, err := recurring.ByID(ctx, m.DB, e.PlanID)
	if err != nil {
		return nil, err
	}
	to, err := addresseeOf(ctx, m.DB, p.ID)
	if err != nil || to == nil {
		return nil, err
	}
	words, entity, err := m.words(ctx, p, e)
	if err != nil {
		return nil, err
	}
	words.Greeting = to.FirstName
	email := &Email{
		ID: e.ID, EntityID: entity.ID, Kind: planKind(e), List: planList, Sender: entity.Slug, From: entity.MailFrom,
		To: to.Email, ToName: strings.TrimSpace(to.FirstName + " " + to.LastName), Language: string(words.Language), Date: e.At, Gift: p.ID,
	}
	if e.IsReminder() {
		email.Choice = m.newChoice(p.DonorID, donor.KindReminders, words.Language)
		words.StopURL = email.Choice.StopURL
	}
	email.Subject, email.Text, email.HTML, err = m.View.PlanEmail(words)
	return email, err
}

// words returns what the email says: the facts that the event recorded, with dates in the entity's time zone, and links
// if the plan has not ended.
func (m Plans) words(ctx context.Context, p plan.Plan, e plan.Event) (view.PlanEmailWords, org.LegalEntity, error) {
	d, lang := e.Detail, phrase.Language(p.Language)
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return view.PlanEmailWords{}, org.LegalEntity{}, err
	}
	entity, err := catalog.EntityByID(p.EntityID)
	if err != nil {
		return view.PlanEmailWords{}, entity, err
	}
	o, err := catalog.OrganisationByID(p.OrganisationID)
	if err != nil {
		return view.PlanEmailWords{}, entity, err
	}
	w := view.PlanEmailWords{
		Kind: e.EmailKind(), Language: lang, Donee: DoneeOf(entity), Organisation: o.Name.In(lang), Accent: o.Accent,
		Amount: money.New(d.Amount, money.Currency(p.Currency)), Every: d.Frequency, N: d.N,
		Given: money.New(d.Given, money.Currency(p.Currency)), Brand: d.Brand, Last4: d.Last4,
		DeclineReason: billing.DeclineReason(d.Code), Permanent: d.Final || billing.IsPermanentDecline(d.Code),
	}
	if d.Next != nil {
		w.Next = d.Next.In(entity.Location())
	}
	if d.Ends != nil {
		w.Ends = d.Ends.In(entity.Location())
	}
	if d.FrequencyBefore != "" {
		w.Before, w.EveryBefore = money.New(d.Before, money.Currency(p.Currency)), d.FrequencyBefore
	}
	if d.Until != nil {
		w.Until = *d.Until // not converted: a card's expiry is a calendar date
	}
	if w.Funds, err = m.fundNames(ctx, catalog, p, lang); err != nil {
		return w, entity, err
	}
	if p.Status.IsEnded() {
		return w, entity, nil
	}
	link, err := m.Links.Of(ctx, p.PublicRef, lang)
	w.ManageURL, w.ManageCode = link.ManageURL, link.Code
	if e.NeedsPaymentMethod() {
		w.CardURL = link.CardURL
	}
	return w, entity, err
}

// fundNames returns the names of the funds that the plan's current terms are for.
func (m Plans) fundNames(ctx context.Context, catalog *fund.Catalog, p plan.Plan, lang phrase.Language) ([]string, error) {
	parts, err := planterms.PartsOf(ctx, m.DB, p, p.Terms)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, part := range parts {
		f, err := catalog.Fund(part.FundID)
		if err != nil {
			return nil, err
		}
		names = append(names, f.Name.In(lang))
	}
	return names, nil
}
