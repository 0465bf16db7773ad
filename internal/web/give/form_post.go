package give

import (
	"context"
	"errors"
	"net/http"
	"time"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/web"
)

// startTimeout limits the start of a gift, with all its calls to Stripe.
const startTimeout = 8 * time.Second

// formPost starts a gift and redirects to its payment page, or shows the form again with every bad field marked.
func (a *Area) formPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	if err := r.ParseForm(); err != nil {
		return web.Malformed(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), pg.RequestTimeout()/2) // starting the gift has the other half
	defer cancel()
	bounded := r.WithContext(ctx)
	o, err := a.offer(bounded)
	if err != nil {
		return err
	}
	if a.closed(o) { // since the donor opened the form
		return a.showClosed(w, bounded, http.StatusConflict, o)
	}
	form := a.readForm(r, o.lang)
	request, err := a.check(form, o.Offer)
	var bad *fault.Error
	if errors.As(err, &bad) && bad.Kind == fault.Invalid {
		return a.showForm(w, bounded, http.StatusUnprocessableEntity, o, form.FormID, entryOf(form), bad.Fields)
	}
	if err != nil {
		return err
	}
	if asked, err := a.askAsWell(bounded, o, request); err != nil {
		return err
	} else if asked != nil {
		return a.showAsWell(w, bounded, o, form, asked)
	}
	var checked guardResult
	if request.FormID, err = a.sameSubmission(bounded, o, request); err == nil {
		checked, err = a.checkGuard(w, bounded, o, form, request)
	}
	if err == nil && !checked.passed {
		return nil // checkGuard has answered
	}
	ctx, cancel = context.WithTimeout(r.Context(), startTimeout)
	defer cancel()
	var gift checkout.Gift
	if err == nil {
		gift, err = a.Starter.Start(ctx, o.Offer, request)
	}
	if errors.Is(err, checkout.ErrPaid) {
		asked, askErr := a.askAsWell(r.WithContext(ctx), o, request)
		if askErr != nil {
			return askErr
		}
		if asked != nil {
			return a.showAsWell(w, r, o, form, asked)
		}
		gift, err = a.Starter.Start(ctx, o.Offer, request) // this browser is not known as the one that paid
	}
	paid := gift.Status.Paid()
	if errors.Is(err, checkout.ErrPaid) { // another submit of the form was paid meanwhile
		if paid, err = a.hasEmail(ctx, gift.ID, request); err == nil && !paid {
			err = fault.New(fault.Unavailable, "problem.503.text", nil) // it is another donor's gift
		}
	}
	if errors.As(err, &bad) && bad.Kind == fault.Invalid && len(bad.Fields) > 0 { // the processor refused what was typed
		return a.showForm(w, r, http.StatusUnprocessableEntity, o, form.FormID, entryOf(form), bad.Fields)
	}
	if web.KindOf(err) == fault.Unavailable {
		return a.showUnavailable(w, r, o, form, err)
	}
	if err != nil {
		return err
	}
	if !checked.event { // a tablet that donors share must not remember any of them
		a.setGiftCookie(w, gift.PublicRef)
	}
	if paid {
		http.Redirect(w, r, thanksPath(o.Organisation.Slug, gift.PublicRef, o.lang), http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, *gift.SessionURL, http.StatusSeeOther)
	return nil
}

// showAsWell shows the form as it was typed and asks whether another gift is meant.
func (a *Area) showAsWell(w http.ResponseWriter, r *http.Request, o offer, form donation.Form, asked *AsWell) error {
	entry := entryOf(form)
	entry.AsWell = asked
	return a.showForm(w, r, http.StatusOK, o, form.FormID, entry, nil)
}

// showUnavailable shows the form as it was typed and asks to try again. The form's one-time id stays the same, so that
// submitting it again continues the same gift.
func (a *Area) showUnavailable(w http.ResponseWriter, r *http.Request, o offer, form donation.Form, cause error) error {
	a.StatusOf(r, cause)
	web.AskToRetry(w)
	ctx, cancel := context.WithTimeout(r.Context(), pg.RequestTimeout()/5) // the donor has already waited
	defer cancel()
	return a.showForm(w, r.WithContext(ctx), http.StatusServiceUnavailable, o, form.FormID, entryOf(form), nil)
}

// check returns the request that the form makes, or fault.Invalid with every bad field.
func (a *Area) check(form donation.Form, o donation.Offer) (donation.Request, error) {
	request, err := form.Check(o)
	country := a.CheckCountry(form.Contact.Country)
	if country == nil {
		return request, err
	}
	var bad []fault.Field
	var known *fault.Error
	if errors.As(err, &known) {
		bad = known.Fields
	}
	return donation.Request{}, fault.Fields(append(bad, country...))
}
