package portal

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
)

// stripeTimeout limits all calls to Stripe of one request together.
const stripeTimeout = 8 * time.Second

// donorLink is what the link to a new payment method opens: a donor, and the page of the donor's plans.
type donorLink struct {
	donor uuid.UUID
	page  PaymentMethodPage
}

// donorOfLink returns the donor of the link; fault.NotFound if the link is not ours or no longer valid.
func (a *Area) donorOfLink(r *http.Request) (l donorLink, err error) {
	token := chi.URLParam(r, "token")
	var valid bool
	if l.donor, valid = readPaymentMethodToken(a.Secret, token, a.Wall()); !valid {
		return l, fault.New(fault.NotFound, "plan.card.gone", nil)
	}
	plans, err := recurring.OfDonor(r.Context(), a.DB, l.donor)
	if err != nil {
		return l, err
	}
	if len(plans) == 0 {
		return l, web.NotFound()
	}
	catalog, err := a.Catalog.Current(r.Context())
	if err != nil {
		return l, err
	}
	l.page, err = a.paymentMethodPage(r, catalog, plans)
	l.page.Action = paymentMethodPath(token, l.page.Language)
	return l, err
}

// paymentMethodGet asks whether to continue to Stripe's page for a new payment method. It changes nothing. With ?done=1
// the donor comes back from Stripe's page; that the payment method was saved, a webhook says and not this address.
func (a *Area) paymentMethodGet(w http.ResponseWriter, r *http.Request, l donorLink) error {
	l.page.Done = r.URL.Query().Get("done") != ""
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return l.page.Write(b, a.View) })
}

// paymentMethodPost creates Stripe's page and redirects to it.
func (a *Area) paymentMethodPost(w http.ResponseWriter, r *http.Request, l donorLink) error {
	ctx, cancel := context.WithTimeout(r.Context(), stripeTimeout)
	defer cancel()
	back := web.Absolute(a.BaseURL, l.page.Action) + "&done=1"
	address, _, err := a.Plans.UpdatePaymentMethod(ctx, l.donor, string(l.page.Language), back)
	if err != nil {
		return err
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// paymentMethodPage returns the page of a donor's plans. Organisation and language are those of the first plan; it
// lists the plans that are running.
func (a *Area) paymentMethodPage(r *http.Request, catalog *fund.Catalog, plans []plan.Plan) (PaymentMethodPage, error) {
	var page PaymentMethodPage
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
		if p.Status.IsRunning() {
			page.Plans = append(page.Plans, PlanSummary{
				Organisation: o.Name.In(page.Language), Amount: p.Amount(), Every: string(p.Frequency), Brand: deref(p.CardBrand), Last4: deref(p.CardLast4),
			})
		}
	}
	return page, nil
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
