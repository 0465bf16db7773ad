package portal

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"konbit/internal/books/fund"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// stripeTimeout limits all calls to Stripe of one request together.
const stripeTimeout = 8 * time.Second

// linkedCardGet shows the plan of an opened link with its card. Another card needs a session: its form sends a code.
func (a *Area) linkedCardGet(w http.ResponseWriter, r *http.Request, p planView) error {
	page, err := a.paymentMethodPage(r, p.catalog, []plan.Plan{p.plan}, false)
	if err != nil {
		return err
	}
	page.Action, page.Token, page.NeedsSession = subPath(p.path, "/email"), p.token, true
	return a.writePaymentMethod(w, page)
}

// ownCardGet asks whether to continue to Stripe's page for a new payment method. It changes nothing. With ?done=1 the
// donor comes back from Stripe's page; that the payment method was saved, a webhook says and not this address.
func (a *Area) ownCardGet(w http.ResponseWriter, r *http.Request, p web.Owned[planView]) error {
	plans, err := recurring.OfDonor(r.Context(), a.DB, p.Object.plan.DonorID)
	if err != nil {
		return err
	}
	page, err := a.paymentMethodPage(r, p.Object.catalog, plans, true)
	if err != nil {
		return err
	}
	if page.Confirm, err = recurring.AwaitsConfirmation(r.Context(), a.DB, p.Object.plan); err != nil {
		return err
	}
	page.Action, page.Token, page.Done = subPath(p.Object.path, "/card"), p.Object.token, r.URL.Query().Get("done") != ""
	return a.writePaymentMethod(w, page)
}

func (a *Area) writePaymentMethod(w http.ResponseWriter, page giftpage.PaymentMethodPage) error {
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}

// ownCardPost creates Stripe's page and redirects to it: for a new payment method or, with do=confirm, to confirm a
// payment with the bank.
func (a *Area) ownCardPost(w http.ResponseWriter, r *http.Request, p web.Owned[planView]) error {
	ctx, cancel := context.WithTimeout(r.Context(), stripeTimeout)
	defer cancel()
	if r.PostFormValue("do") == "confirm" {
		address, err := a.Plans.ConfirmPayment(ctx, p.Object.plan)
		if err != nil {
			return err
		}
		http.Redirect(w, r, address, http.StatusSeeOther)
		return nil
	}
	back := web.Absolute(a.BaseURL, subPath(p.Object.path, "/card")) + "&done=1"
	address, _, err := a.Plans.UpdatePaymentMethod(ctx, p.Object.plan.DonorID, string(p.Object.lang), back)
	if err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// paymentMethodPage returns the page of a donor's plans. Organisation and language are those of the first plan; it
// lists the plans that are running. What a new card is for them the page of a session says; all says that plans are all
// plans of the donor, on which that depends.
func (a *Area) paymentMethodPage(r *http.Request, catalog *fund.Catalog, plans []plan.Plan, all bool) (giftpage.PaymentMethodPage, error) {
	var page giftpage.PaymentMethodPage
	chosen, _ := plan.ForNewCard(plans)
	for i, p := range plans {
		o, err := catalog.OrganisationByID(p.OrganisationID)
		if err != nil {
			return page, err
		}
		if i == 0 {
			e, err := catalog.EntityByID(p.EntityID)
			if err != nil {
				return page, err
			}
			languages := a.LanguagesOf(o)
			lang := phrase.Match(languages, cmp.Or(r.URL.Query().Get("lang"), p.Language), "")
			page.Frame = view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, languages), Accent: o.Accent}
			page.Organisation = web.OrganisationIn(lang, e, o)
		}
		if !p.Status.IsRunning() {
			continue
		}
		summary := giftpage.PlanSummary{
			Organisation: o.Name.In(page.Language), Amount: p.NextCharge(), Every: string(p.Frequency), Brand: deref(p.CardBrand), Last4: deref(p.CardLast4),
		}
		if all && chosen != nil {
			summary.NewCard = string(p.NewCardUse(*chosen))
		}
		page.Plans = append(page.Plans, summary)
	}
	return page, nil
}

// deref returns what a pointer points to; the zero value if it is nil.
func deref[T any](value *T) (v T) {
	if value != nil {
		v = *value
	}
	return v
}
