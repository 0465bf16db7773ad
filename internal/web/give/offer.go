package give

import (
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
)

// offer is what the organisation of the address offers, and the reader's language among the organisation's languages.
type offer struct {
	donation.Offer
	lang    phrase.Language
	catalog *fund.Catalog
}

// offer returns the offer of the request's address, which people also type in capitals. It returns fault.NotFound if
// there is no such organisation or it has no open fund.
func (a *Area) offer(r *http.Request) (offer, error) {
	catalog, err := a.Catalog.Current(r.Context())
	if err != nil {
		return offer{}, err
	}
	o := offer{catalog: catalog}
	if o.Organisation, err = catalog.Organisation(strings.ToLower(chi.URLParam(r, "org"))); err != nil {
		return offer{}, err
	}
	if o.Entity, err = catalog.EntityByID(o.Organisation.EntityID); err != nil {
		return offer{}, err
	}
	if o.Funds = catalog.Open(o.Organisation.ID); len(o.Funds) == 0 {
		return offer{}, web.NotFound()
	}
	o.lang = phrase.Match(a.LanguagesOf(o.Organisation), r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
	return o, nil
}

// organisation returns what a page shows of the organisation.
func (o offer) organisation() view.Organisation {
	return web.OrganisationIn(o.lang, o.Entity, o.Organisation)
}

// frame returns the frame of a page at the request's address.
func (a *Area) frame(r *http.Request, o offer) view.Frame {
	return view.Frame{Language: o.lang, Switch: view.Switch(r.URL, o.lang, a.LanguagesOf(o.Organisation)), Accent: o.Organisation.Accent}
}
