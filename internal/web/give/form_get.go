package give

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/web"
)

// formGet shows the donation form: empty, preset by the address, or with what was typed for an unpaid gift (?again=).
func (a *Area) formGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	o, err := a.offer(r)
	if err != nil {
		return err
	}
	if a.closed(o) {
		return a.showClosed(w, r, http.StatusOK, o)
	}
	query := r.URL.Query()
	if ref := query.Get("again"); ref != "" && !a.maybeShared(r) {
		return a.restoreForm(w, r, o, ref)
	}
	if query.Get("fund") == "" && query.Get("amount") == "" && query.Get("frequency") == "" && !a.maybeShared(r) {
		return a.emptyForm(w, r, o)
	}
	entry := presetEntry(o, query.Get("amount"), query.Get("fund"), query.Get("frequency"))
	return a.showForm(w, r, http.StatusOK, o, a.NewID(), entry, nil)
}

// buffers are reused for the empty form, which is requested more often than all other pages together.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// emptyForm shows the form that was prepared for all readers of a language.
func (a *Area) emptyForm(w http.ResponseWriter, r *http.Request, o offer) error {
	prepared, err := a.forms.get(a, r, o)
	if err != nil {
		return err
	}
	body := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(body)
	body.Reset()
	if err := prepared.Write(body, a.Guard.FormToken(a.NewID(), a.Wall())); err != nil {
		return err
	}
	web.WriteHTML(w, http.StatusOK, body.Bytes())
	return nil
}

// presetEntry returns a form filled as an address asks for. What the organisation does not offer is ignored.
func presetEntry(o offer, amount, fundSlug, frequency string) Entry {
	entry := Entry{Frequency: frequency}
	for _, f := range o.Funds {
		if f.Slug == fundSlug {
			entry.Fund = fundSlug
		}
	}
	wanted, err := money.Parse(amount, o.Entity.Currency, string(o.lang))
	if err != nil || !o.Organisation.Accepts(wanted.Minor) {
		return entry
	}
	entry.Amount, entry.AmountOther = "other", majorUnits(wanted)
	for _, p := range o.Organisation.Presets {
		if p == wanted.Minor {
			entry.Amount, entry.AmountOther = entry.AmountOther, ""
		}
	}
	return entry
}

// showForm shows the form with an entry and what is wrong with it. The status says more:
//
//	429  there were too many attempts
//	503  the payment page cannot be reached now
func (a *Area) showForm(w http.ResponseWriter, r *http.Request, status int, o offer, form uuid.UUID, entry Entry, problems []fault.Field) error {
	page := a.formPage(r, o)
	pass, err := a.eventPass(r, o)
	if err != nil {
		return err
	}
	page.FormID, page.Entry, page.Problems = a.formToken(r, form), entry, problems
	page.Event, page.RateLimited = pass != uuid.Nil, status == http.StatusTooManyRequests
	page.PaymentUnavailable = status == http.StatusServiceUnavailable
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// formPage returns the empty form of an offer.
func (a *Area) formPage(r *http.Request, o offer) FormPage {
	organisation, e := o.Organisation, o.Entity
	page := FormPage{
		Frame:        a.frame(r, o),
		Organisation: o.organisation(),
		Action:       formPath(organisation.Slug, o.lang),
		Minimum:      e.Amount(organisation.Minimum),
		Maximum:      e.Amount(organisation.Maximum),
	}
	if from, err := email.Parse(e.MailFrom); err == nil { // setup has checked it
		page.Contact = from.Address
	}
	for _, p := range organisation.Presets {
		page.Presets = append(page.Presets, e.Amount(p))
	}
	page.Cover = coverOf(e, page.Presets, page.Minimum)
	for _, f := range o.Funds {
		page.Funds = append(page.Funds, Fund{Slug: f.Slug, Name: f.Name.In(o.lang), Purpose: f.Purpose.In(o.lang)})
	}
	for _, f := range org.Frequencies() {
		if organisation.Offers(f) {
			page.Frequencies = append(page.Frequencies, string(f))
		}
	}
	return page
}

// coverOf returns what covering the processing fee adds, with the presets as examples; nil if no fee is known.
func coverOf(e org.LegalEntity, presets []money.Amount, minimum money.Amount) *Cover {
	cover := &Cover{BasisPoints: e.ProcessingFee.BasisPoints, Fixed: e.ProcessingFee.Fixed}
	if len(presets) == 0 {
		presets = []money.Amount{minimum}
	}
	for _, gift := range presets {
		added, err := donation.FeeCoverage(e, gift)
		if err != nil || added.IsZero() {
			return nil
		}
		cover.Examples = append(cover.Examples, CoverExample{Gift: gift, Cover: added})
	}
	return cover
}

// formCache holds the empty form of each organisation and language until the catalog changes.
type formCache struct {
	mu    sync.RWMutex
	forms map[string]cachedForm
}

type cachedForm struct {
	of   *fund.Catalog
	form *PreparedForm
}

func (c *formCache) get(a *Area, r *http.Request, o offer) (*PreparedForm, error) {
	key := o.Organisation.Slug + " " + string(o.lang)
	c.mu.RLock()
	cached := c.forms[key]
	c.mu.RUnlock()
	if cached.of == o.catalog {
		return cached.form, nil
	}
	bare := r.Clone(r.Context())
	bare.URL.RawQuery = "" // other parameters of this request do not belong on everybody's page
	form, err := PrepareForm(a.View, a.formPage(bare, o))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forms == nil {
		c.forms = map[string]cachedForm{}
	}
	c.forms[key] = cachedForm{o.catalog, form}
	return form, nil
}
