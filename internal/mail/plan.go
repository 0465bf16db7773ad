package mail

import (
	"context"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// The stream of letters about recurring gifts. Their kind is that of what they tell.
const planList = "plans"

// PlanLinks makes the links of letters about recurring gifts; web does.
type PlanLinks interface {
	// Manage leads to a plan by its public reference, and opens nothing else.
	Manage(ref string, lang phrase.Language) string
	// Card leads to a new card for all plans of a donor, for some weeks.
	PaymentMethod(of uuid.UUID, lang phrase.Language) string
}

// Plans mails what happens to recurring gifts.
type Plans struct {
	Mailer
	Catalog *fund.CatalogCache
	Links   PlanLinks
}

// Register takes the job of mailing about a plan.
func (m Plans) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job recurring.EmailJob) error { return m.Mail(ctx, job.EventID) })
}

// Mail tells a plan's donor of an event, once, under the rules of receipts' letters. A donor who was forgotten is not written to.
func (m Plans) Mail(ctx context.Context, event uuid.UUID) error {
	e, err := recurring.EventByID(ctx, m.DB, event)
	if err != nil {
		return err
	}
	l, err := findStored(ctx, m.DB, planKind(e), e.ID)
	if err == nil && l == nil {
		l, err = m.rendered(ctx, e)
	}
	if err != nil || l == nil {
		return err
	}
	return m.deliverFirst(ctx, *l)
}

func planKind(e recurring.Event) string { return "plan_" + e.EmailKind() }

func (m Plans) rendered(ctx context.Context, e recurring.Event) (*storedEmail, error) {
	p, err := recurring.ByID(ctx, m.DB, e.PlanID)
	if err != nil {
		return nil, err
	}
	to, err := donation.ContactOf(ctx, m.DB, p.ID)
	if err != nil || to == nil {
		return nil, err
	}
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	o, err := catalog.OrganisationByID(p.OrganisationID)
	if err != nil {
		return nil, err
	}
	entity, err := catalog.EntityByID(p.EntityID)
	if err != nil {
		return nil, err
	}
	words, err := m.words(ctx, catalog, p, e, o, entity)
	if err != nil {
		return nil, err
	}
	words.Greeting = to.FirstName
	l := Email{
		ID: e.ID, Kind: planKind(e), List: planList, Sender: entity.Slug, From: entity.MailFrom, To: to.Email,
		ToName: to.FirstName + " " + to.LastName, Language: string(words.Language), Date: e.At,
	}
	if e.IsReminder() {
		l.Choice = m.newChoice(p.DonorID, donor.KindReminders, words.Language)
		words.StopURL = l.Choice.StopURL
	}
	if l.Subject, l.Text, l.HTML, err = m.View.PlanEmail(words); err != nil {
		return nil, err
	}
	return m.composeAndStore(ctx, l, entity.ID)
}

// words tells the view what the event says, dated in the entity's time zone.
func (m Plans) words(ctx context.Context, catalog *fund.Catalog, p recurring.Plan, e recurring.Event, o org.Organisation, entity org.LegalEntity) (view.PlanEmailWords, error) {
	d, lang := e.Detail, phrase.Language(p.Language)
	w := view.PlanEmailWords{
		Kind: e.EmailKind(), Language: lang, Donee: view.Donee{Name: entity.LegalName, EIN: entity.EIN, Address: donation.Postal(entity.Address)},
		Organisation: o.Name.In(lang), Accent: o.Accent, Amount: money.New(d.Amount, money.Currency(p.Currency)), Every: d.Frequency, N: d.N,
		Given: money.New(d.Given, money.Currency(p.Currency)), Brand: d.Brand, Last4: d.Last4,
		DeclineReason: recurring.DeclineReason(d.Code), Permanent: d.Final || recurring.IsPermanentDecline(d.Code),
	}
	if d.Next != nil {
		w.Next = d.Next.In(entity.Location())
	}
	if d.Until != nil {
		w.Until = *d.Until // a card ends by its own calendar
	}
	terms, err := recurring.PartsOf(ctx, m.DB, p, p.Terms)
	if err != nil {
		return w, err
	}
	for _, part := range terms {
		f, err := catalog.Fund(part.FundID)
		if err != nil {
			return w, err
		}
		w.Funds = append(w.Funds, f.Name.In(lang))
	}
	if !p.Status.IsEnded() {
		w.ManageURL = m.Links.Manage(p.PublicRef, lang)
		if e.NeedsPaymentMethod() {
			w.CardURL = m.Links.PaymentMethod(p.DonorID, lang)
		}
	}
	return w, nil
}
