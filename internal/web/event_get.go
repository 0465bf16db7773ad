package web

import (
	"bytes"
	"net/http"
	"net/url"

	"konbit/internal/view"
)

// EventPath is where a pass's link leads. The pass stands behind the #, where browsers keep it to themselves: no log of
// a proxy and no Referer ever holds it.
func EventPath(org, token string) string { return eventPath(org) + "#" + url.PathEscape(token) }

func eventPath(org string) string { return "/give/" + url.PathEscape(org) + "/event" }

// eventGet shows the page that opens event mode on this device, by the link that `konbit event-mode open` prints. It only
// reads: what looks into links before people do opens nothing.
func (s *Server) eventGet(w http.ResponseWriter, r *http.Request) error {
	offer, lang, _, err := s.offer(r)
	if err != nil {
		return err
	}
	o := offer.Organisation
	var body bytes.Buffer
	err = s.View.Event(&body, view.EventPage{
		Frame:        view.Frame{Language: lang, Accent: o.Accent},
		Organisation: organisationView(offer, lang), Action: eventPath(o.Slug) + "?lang=" + string(lang),
	})
	if err != nil {
		return err
	}
	html(w, http.StatusOK, body.Bytes())
	return nil
}
