package give

import (
	"io"
	"net/http"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
)

// homeGet lists the organisations that take gifts here.
func (a *Area) homeGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	catalog, err := a.Catalog.Current(r.Context())
	if err != nil {
		return err
	}
	lang := a.Language(r)
	page := HomePage{Frame: view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, a.Languages)}}
	for _, o := range catalog.Organisations() {
		entity, err := catalog.EntityByID(o.EntityID)
		if err != nil {
			return err
		}
		page.Organisations = append(page.Organisations, HomeOrganisation{
			Name: o.Name.In(lang), Donee: entity.LegalName, URL: formPath(o.Slug, phrase.Match(a.LanguagesOf(o), string(lang), "")),
		})
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}
