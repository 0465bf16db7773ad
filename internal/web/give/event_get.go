package give

import (
	"io"
	"net/http"

	"konbit/internal/view"
	"konbit/internal/web"
)

// eventGet shows the page that opens event mode on this device, by the link that `konbit event-mode open` prints. It
// changes nothing, because programs open links before people do.
func (a *Area) eventGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	o, err := a.offer(r)
	if err != nil {
		return err
	}
	page := EventModePage{
		Frame:        view.Frame{Language: o.lang, Accent: o.Organisation.Accent},
		Organisation: o.organisation(), Action: eventPath(o.Organisation.Slug) + "?lang=" + string(o.lang),
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}
