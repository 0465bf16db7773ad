package web

import (
	"bytes"
	"net/http"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// homeGet lists whom one can give to here.
func (s *Server) homeGet(w http.ResponseWriter, r *http.Request) error {
	catalog, err := s.Catalog.Current(r.Context())
	if err != nil {
		return err
	}
	lang := s.language(r)
	page := view.HomePage{Frame: view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.Languages)}}
	for _, o := range catalog.Organisations() {
		entity, err := catalog.EntityByID(o.EntityID)
		if err != nil {
			return err
		}
		page.Organisations = append(page.Organisations, view.HomeOrganisation{
			Name: o.Name.In(lang), Donee: entity.LegalName, URL: givePath(o.Slug, phrase.Match(s.languagesOf(o), string(lang), "")),
		})
	}
	var body bytes.Buffer
	if err := s.View.Home(&body, page); err != nil {
		return err
	}
	html(w, http.StatusOK, body.Bytes())
	return nil
}

// styleguideGet shows every component once, in the demo.
func (s *Server) styleguideGet(w http.ResponseWriter, r *http.Request) error {
	var body bytes.Buffer
	if err := s.View.Styleguide(&body, view.StyleguidePage{}); err != nil {
		return err
	}
	html(w, http.StatusOK, body.Bytes())
	return nil
}
