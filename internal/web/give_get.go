package web

import (
	"bytes"
	"net/http"
	"slices"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/email"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// giveGet shows the donation form: empty, preset by the address, or as it was left.
func (s *Server) giveGet(w http.ResponseWriter, r *http.Request) error {
	offer, lang, snapshot, err := s.offer(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if ref := query.Get("again"); ref != "" && !s.onSharedDevice(r) {
		return s.giveRestore(w, r, offer, lang, ref)
	}
	form := s.NewID()
	if query.Get("fund") == "" && query.Get("amount") == "" && query.Get("frequency") == "" && !s.onSharedDevice(r) {
		prepared, err := s.forms.get(s, r, offer, lang, snapshot)
		if err != nil {
			return err
		}
		body := pageBuffers.Get().(*bytes.Buffer)
		defer pageBuffers.Put(body)
		body.Reset()
		if err := prepared.Write(body, s.Guard.FormToken(form, s.Wall())); err != nil {
			return err
		}
		html(w, http.StatusOK, body.Bytes())
		return nil
	}
	return s.giveForm(w, r, http.StatusOK, offer, lang, form, presetEntry(offer, query.Get("amount"), query.Get("fund"), query.Get("frequency")), nil)
}

// bodies are buffers for the form, which is asked for more than all other pages together.
var pageBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// offer finds the organisation of the address and the reader's language among those it offers.
func (s *Server) offer(r *http.Request) (donation.Offer, phrase.Language, *fund.Catalog, error) {
	catalog, err := s.Catalog.Current(r.Context())
	if err != nil {
		return donation.Offer{}, "", nil, err
	}
	o, err := catalog.Organisation(chi.URLParam(r, "org"))
	if err != nil {
		return donation.Offer{}, "", nil, err
	}
	entity, err := catalog.EntityByID(o.EntityID)
	if err != nil {
		return donation.Offer{}, "", nil, err
	}
	funds := catalog.Open(o.ID)
	if len(funds) == 0 {
		return donation.Offer{}, "", nil, errNotFound()
	}
	lang := phrase.Match(s.languagesOf(o), r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	return donation.Offer{Entity: entity, Organisation: o, Funds: funds}, lang, catalog, nil
}

// spoken lists the organisation's languages whose words are written.
func (s *Server) languagesOf(o org.Organisation) []phrase.Language {
	return slices.DeleteFunc(slices.Clone(o.Languages), func(l phrase.Language) bool { return !slices.Contains(s.Languages, l) })
}

// preset fills a form as an address asks for it; what is not offered is ignored.
func presetEntry(offer donation.Offer, amount, fundSlug, frequency string) view.Entry {
	entry := view.Entry{Frequency: frequency}
	for _, f := range offer.Funds {
		if f.Slug == fundSlug {
			entry.Fund = fundSlug
		}
	}
	wanted, err := money.Parse(amount, offer.Entity.Currency)
	if err != nil || !offer.Organisation.Accepts(wanted.Minor) {
		return entry
	}
	entry.Amount, entry.AmountOther = "other", majorUnits(wanted)
	for _, p := range offer.Organisation.Presets {
		if p == wanted.Minor {
			entry.Amount, entry.AmountOther = entry.AmountOther, ""
		}
	}
	return entry
}

// giveForm renders the form with an entry.
func (s *Server) giveForm(w http.ResponseWriter, r *http.Request, status int, offer donation.Offer, lang phrase.Language, form uuid.UUID, entry view.Entry, problems []problemField) error {
	page := s.givePage(r, offer, lang)
	pass, err := s.eventPass(r, offer)
	if err != nil {
		return err
	}
	page.FormID, page.Entry, page.Problems = s.formToken(r, form), entry, problems
	page.Event, page.RateLimited = pass != uuid.Nil, status == http.StatusTooManyRequests
	page.PaymentUnavailable = status == http.StatusServiceUnavailable
	var body bytes.Buffer
	if err := s.View.Give(&body, page); err != nil {
		return err
	}
	html(w, status, body.Bytes())
	return nil
}

// givePage is the form of an offer with nothing typed.
func (s *Server) givePage(r *http.Request, offer donation.Offer, lang phrase.Language) view.GivePage {
	o, e := offer.Organisation, offer.Entity
	page := view.GivePage{
		Frame:        view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.languagesOf(o)), Accent: o.Accent},
		Organisation: organisationView(offer, lang),
		Action:       givePath(o.Slug, lang),
		Minimum:      e.Amount(o.Minimum),
		Maximum:      e.Amount(o.Maximum),
	}
	if from, err := email.Parse(e.MailFrom); err == nil { // it was checked when it was set up
		page.Contact = from.Address
	}
	for _, p := range o.Presets {
		page.Presets = append(page.Presets, e.Amount(p))
	}
	page.Cover = coverView(e, page.Presets, page.Minimum)
	for _, f := range offer.Funds {
		page.Funds = append(page.Funds, view.Fund{Slug: f.Slug, Name: f.Name.In(lang), Purpose: f.Purpose.In(lang)})
	}
	for _, f := range org.Frequencies() {
		if o.Offers(f) {
			page.Frequencies = append(page.Frequencies, string(f))
		}
	}
	return page
}

// coverView prices covering the processing fee, on the presets as examples; nil where no fee is known.
func coverView(e org.LegalEntity, presets []money.Amount, minimum money.Amount) *view.Cover {
	cover := &view.Cover{BasisPoints: e.ProcessingFee.BasisPoints, Fixed: e.ProcessingFee.Fixed}
	if len(presets) == 0 {
		presets = []money.Amount{minimum}
	}
	for _, gift := range presets {
		added, err := donation.FeeCoverage(e, gift)
		if err != nil || added.IsZero() {
			return nil
		}
		cover.Examples = append(cover.Examples, view.CoverExample{Gift: gift, Cover: added})
	}
	return cover
}

func organisationView(offer donation.Offer, lang phrase.Language) view.Organisation {
	return view.Organisation{
		Name: offer.Organisation.Name.In(lang), Sponsored: offer.Organisation.Sponsored,
		Donee: view.Donee{Name: offer.Entity.LegalName, EIN: offer.Entity.EIN, Address: donation.Postal(offer.Entity.Address)},
	}
}

// formCache keeps each organisation's empty form per language, for as long as what was set up is the same.
type formCache struct {
	mu    sync.RWMutex
	forms map[string]cachedForm
}

type cachedForm struct {
	of   *fund.Catalog
	form *view.PreparedForm
}

func (c *formCache) get(s *Server, r *http.Request, offer donation.Offer, lang phrase.Language, of *fund.Catalog) (*view.PreparedForm, error) {
	key := offer.Organisation.Slug + " " + string(lang)
	c.mu.RLock()
	kept := c.forms[key]
	c.mu.RUnlock()
	if kept.of == of {
		return kept.form, nil
	}
	bare := r.Clone(r.Context())
	bare.URL.RawQuery = "" // what else the address asks for is not for everybody
	form, err := s.View.PrepareForm(s.givePage(bare, offer, lang))
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forms == nil {
		c.forms = map[string]cachedForm{}
	}
	c.forms[key] = cachedForm{of, form}
	return form, nil
}
