package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
)

// dataJSONGet sends a copy of all data about the visitor as JSON, while it is read from the database.
func (a *Area) dataJSONGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	return a.writeData(w, r, v, "application/json", "json", privacy.NewJSON(w))
}

// dataCSVGet sends the same copy as CSV.
func (a *Area) dataCSVGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	return a.writeData(w, r, v, "text/csv; charset=utf-8", "csv", privacy.NewCSV(w))
}

// writeData writes the copy. If it reports an error, the copy has no end, and web.Stream cuts the connection: the
// client never takes a part for the whole copy.
func (a *Area) writeData(w http.ResponseWriter, r *http.Request, v web.DonorVisit, kind, ending string, to privacy.Document) error {
	access, err := donoraccess.ReadPersonalData(r.Context(), a.DB, v.PersonID)
	if err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.DataCopied)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="my-data.`+ending+`"`)
	if err := privacy.CopySignInData(access, to); err != nil {
		return err
	}
	if err := a.copyGifts(r, v, to); err != nil {
		return err
	}
	return to.End()
}

// copyGifts writes the visitor's gifts, and the emails that were sent about them.
func (a *Area) copyGifts(r *http.Request, v web.DonorVisit, to privacy.Document) error {
	subjects, err := privacy.Copy(r.Context(), a.DB, v.Catalog, v.Donors, to)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(subjects, 500) {
		emails, err := mail.Deliveries(r.Context(), a.DB, some)
		if err != nil {
			return err
		}
		for _, id := range some {
			for _, e := range emails[id] {
				err := to.Item("letter", struct {
					Kind     string     `json:"letter"`
					To       string     `json:"to"`
					At       time.Time  `json:"at"`
					Accepted *time.Time `json:"accepted,omitempty"`
				}{strings.ReplaceAll(e.EmailKind, "_", " "), e.Recipient, e.OrderedAt, e.AcceptedAt})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
