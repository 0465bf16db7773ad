package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/people/donoraccess"
)

// dataJSONGet and dataCSVGet hand out all that is kept about the visitor, while it is read.
func (s *Server) dataJSONGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	return s.writeData(w, r, v, "application/json", "json", privacy.NewJSON(w))
}

func (s *Server) dataCSVGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	return s.writeData(w, r, v, "text/csv; charset=utf-8", "csv", privacy.NewCSV(w))
}

// data writes the copy. What goes wrong once it has begun ends the connection, so that half a copy is not taken for all.
func (s *Server) writeData(w http.ResponseWriter, r *http.Request, v donorVisit, kind, ending string, to privacy.Document) error {
	kept, err := donoraccess.ReadPersonalData(r.Context(), s.DB, v.PersonID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", `attachment; filename="my-gifts.`+ending+`"`)
	failed := privacy.CopySignInData(kept, to)
	if failed == nil {
		failed = s.copyGifts(r, v, to)
	}
	if failed == nil {
		failed = to.End()
	}
	if failed != nil && r.Context().Err() == nil {
		s.Log.WarnContext(r.Context(), "a copy of somebody's data broke off", "error", failed)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (s *Server) copyGifts(r *http.Request, v donorVisit, to privacy.Document) error {
	subjects, err := privacy.Copy(r.Context(), s.DB, v.catalog, v.donors, to)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(subjects, 500) {
		letters, err := mail.Deliveries(r.Context(), s.DB, some)
		if err != nil {
			return err
		}
		for _, id := range some {
			for _, l := range letters[id] {
				err := to.Item("letter", struct {
					Letter   string     `json:"letter"`
					To       string     `json:"to"`
					At       time.Time  `json:"at"`
					Accepted *time.Time `json:"accepted,omitempty"`
				}{strings.ReplaceAll(l.EmailKind, "_", " "), l.Recipient, l.OrderedAt, l.AcceptedAt})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}
