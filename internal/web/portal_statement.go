package web

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/view"
)

const recordsPath = "/portal/records"

// recordsGet lists the visitor's annual statements, hands out their data, and lets them be forgotten.
func (s *Server) recordsGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	return s.records(w, r, v, http.StatusOK, "")
}

func (s *Server) records(w http.ResponseWriter, r *http.Request, v donorVisit, status int, problem string) error {
	page := view.RecordsPage{Portal: s.portal(r, v, "records"), Problem: problem, Confirm: r.URL.Query().Get("do") == "erase"}
	gifts, err := donation.History(r.Context(), s.DB, donor.IDs(v.donors))
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, g := range gifts {
		if g.ChargedAt == nil || g.Status != donation.Settled {
			continue
		}
		e, err := v.catalog.EntityByID(g.EntityID)
		if err != nil {
			return err
		}
		year := g.ChargedAt.In(e.Location()).Year()
		ref := fmt.Sprintf("%d-%s", year, g.DonorID)
		if !listed[ref] {
			listed[ref] = true
			line := view.RecordsYear{Year: year, Donee: e.LegalName, URL: "/portal/statements/" + ref}
			if same := v.at(e.ID.String()); len(same) > 1 {
				line.Email = v.email(g.DonorID)
			}
			page.Statements = append(page.Statements, line)
		}
	}
	waiting, err := privacy.Pending(r.Context(), s.DB, donor.IDs(v.donors))
	if err != nil {
		return err
	}
	if waiting != nil {
		writer, err := privacy.SenderEntity(r.Context(), s.DB, v.catalog, waiting.ID)
		if err != nil {
			return err
		}
		page.ErasureDue = waiting.DueDate(writer)
	}
	return write(w, status, func(b io.Writer) error { return s.View.Records(b, page) })
}

// email is the address by which the visitor is a donor.
func (v donorVisit) email(id uuid.UUID) string {
	for _, d := range v.donors {
		if d.ID == id {
			return d.Email
		}
	}
	return ""
}

// ownStatement is a statement of the visitor's by its year and donor; of anybody else's there is none.
func (s *Server) ownStatement(r *http.Request, v donorVisit) (statement.Statement, error) {
	year, text, _ := strings.Cut(chi.URLParam(r, "ref"), "-")
	n, err := strconv.Atoi(year)
	id, wrong := uuid.Parse(text)
	if err != nil || wrong != nil || n < 2000 || n > 2200 {
		return statement.Statement{}, errNotFound()
	}
	for _, d := range v.donors {
		if d.ID == id {
			return s.Statements.ForDonor(r.Context(), d, n)
		}
	}
	return statement.Statement{}, errNotFound()
}

// statementGet shows a year's statement, as it was issued or as the gifts stand now.
func (s *Server) statementGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	found, err := s.ownStatement(r, v)
	if err != nil {
		return err
	}
	words, err := mail.StatementWords(found)
	if err != nil {
		return err
	}
	p := view.StatementPage{Frame: s.portal(r, v, "records").Frame, StatementWords: words, PDFURL: r.URL.Path + "/pdf", BackURL: recordsPath}
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.Statement(b, p) })
}

// statementPDFGet hands it out as a document, in the language it was issued in.
func (s *Server) statementPDFGet(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	found, err := s.ownStatement(r, v)
	if err != nil {
		return err
	}
	words, err := mail.StatementWords(found)
	if err != nil {
		return err
	}
	pdf, err := s.View.StatementPDF(words)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Disposition", `attachment; filename="`+mail.StatementFile(found)+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(pdf)))
	_, _ = w.Write(pdf) // a reader who left is no failure
	return nil
}

// erasePost notes or withdraws the visitor's wish to be forgotten. It comes from the page that said what it means.
func (s *Server) erasePost(w http.ResponseWriter, r *http.Request, v donorVisit) error {
	switch r.PostForm.Get("do") {
	case "withdraw":
		if err := s.Privacy.Withdraw(r.Context(), donor.IDs(v.donors)); err != nil {
			return err
		}
	case "erase":
		mailboxes, err := s.Access.Mailboxes(r.Context(), v.PersonID)
		if err != nil {
			return err
		}
		wish := privacy.ErasureRequest{Donors: donor.IDs(v.donors), Recipient: v.Email, Language: string(v.lang), RequestedBy: "donor", Delay: privacy.DefaultDelay}
		for _, m := range mailboxes {
			wish.Addresses = append(wish.Addresses, m.Email)
		}
		_, err = s.Privacy.Request(r.Context(), wish)
		switch {
		case privacy.IsActivePlan(err):
			return s.records(w, r, v, http.StatusConflict, "privacy.error.plan")
		case privacy.IsPendingGift(err):
			return s.records(w, r, v, http.StatusConflict, "privacy.error.gift")
		case err != nil:
			return err
		}
	}
	http.Redirect(w, r, recordsPath, http.StatusSeeOther)
	return nil
}
