package portal

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
	"konbit/internal/giving/plan"
	"konbit/internal/mail/paper"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// recordsGet lists the visitor's annual statements, offers a copy of all data, and takes a request for erasure.
func (a *Area) recordsGet(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	return a.showRecords(w, r, v, http.StatusOK, "")
}

func (a *Area) showRecords(w http.ResponseWriter, r *http.Request, v web.DonorVisit, status int, problem string) error {
	page := RecordsPage{Page: a.page(r, v, "records"), Problem: problem, Confirm: r.URL.Query().Get("do") == "erase"}
	gifts, err := donation.History(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	issued, err := statement.OfDonors(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	if page.Statements, err = statementItems(v, gifts, issued); err != nil {
		return err
	}
	pending, err := privacy.Pending(r.Context(), a.DB, donor.IDs(v.Donors))
	if err != nil {
		return err
	}
	if pending != nil {
		sender, err := privacy.SenderEntity(r.Context(), a.DB, v.Catalog, pending.ID)
		if err != nil {
			return err
		}
		page.ErasureDue = pending.DueDate(sender)
	} else if page.Confirm {
		err := privacy.CheckErasable(r.Context(), a.DB, donor.IDs(v.Donors))
		if page.Obstacle = privacy.Obstacle(err); page.Obstacle == "" && err != nil {
			return err
		}
		if page.Plans, err = a.planItems(r, v, plan.Status.IsRunning); err != nil {
			return err
		}
	}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// statementItems returns one item for each year and donor with an issued statement or a gift of which something remains,
// in the order of the gifts.
func statementItems(v web.DonorVisit, gifts []donation.HistoryItem, issued []statement.Statement) ([]giftpage.StatementItem, error) {
	var items []giftpage.StatementItem
	listed := map[string]bool{}
	for _, g := range gifts {
		if g.TaxDate == nil || g.Status != donation.Settled {
			continue
		}
		e, err := v.Catalog.EntityByID(g.EntityID)
		if err != nil {
			return nil, err
		}
		year := g.TaxDate.Year
		ref := fmt.Sprintf("%d-%s", year, g.DonorID)
		if listed[ref] || g.Remaining().IsZero() && !statement.Contains(issued, g.DonorID, year) {
			continue
		}
		listed[ref] = true
		item := giftpage.StatementItem{Year: year, Donee: e.LegalName, URL: "/portal/statements/" + ref}
		if len(v.At(e.ID)) > 1 {
			item.Email = v.EmailOf(g.DonorID)
		}
		items = append(items, item)
	}
	return items, nil
}

// ownStatement returns the visitor's statement that the path names as YEAR-DONOR.
func (a *Area) ownStatement(r *http.Request, v web.DonorVisit) (statement.Statement, error) {
	year, text, _ := strings.Cut(chi.URLParam(r, "ref"), "-")
	n, err := strconv.Atoi(year)
	id, wrong := uuid.Parse(text)
	if err != nil || wrong != nil || n < 2000 || n > 2200 {
		return statement.Statement{}, web.NotFound()
	}
	for _, d := range v.Donors {
		if d.ID == id {
			return a.Statements.ForDonor(r.Context(), d, n)
		}
	}
	return statement.Statement{}, web.NotFound()
}

// statementGet shows a year's statement: as it was issued or, if it was not issued yet, as the gifts are now.
func (a *Area) statementGet(w http.ResponseWriter, r *http.Request, o web.Owned[statement.Statement]) error {
	words, err := paper.StatementWords(o.Object)
	if err != nil {
		return err
	}
	own := a.page(r, o.DonorVisit, "records")
	page := giftpage.StatementPage{
		Frame: own.Frame, StatementWords: words, Token: own.Token, PDFURL: r.URL.Path + "/pdf", BackURL: recordsPath, FundName: o.Catalog.NameIn,
	}
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return page.Write(b, a.View) })
}

// statementPDFGet sends a statement as a document, in the language in which it was issued.
func (a *Area) statementPDFGet(w http.ResponseWriter, _ *http.Request, o web.Owned[statement.Statement]) error {
	words, err := paper.StatementWords(o.Object)
	if err != nil {
		return err
	}
	pdf, err := a.View.StatementPDF(words)
	if err != nil {
		return paperError(err)
	}
	web.WritePDF(w, paper.StatementFile(o.Object), pdf)
	return nil
}

// erasurePost records or withdraws the visitor's request for erasure. The form is on the page that explains what
// erasure means.
func (a *Area) erasurePost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	switch r.PostForm.Get("do") {
	case "withdraw":
		if err := a.Privacy.Withdraw(r.Context(), donor.IDs(v.Donors)); err != nil {
			return err
		}
		securitylog.Record(r.Context(), securitylog.ErasureWithdrawn)
	case "erase":
		mailboxes, err := a.Access.Mailboxes(r.Context(), v.PersonID)
		if err != nil {
			return err
		}
		request := privacy.ErasureRequest{Donors: donor.IDs(v.Donors), Recipient: v.Email, Language: string(v.Language),
			RequestedBy: "donor", Delay: privacy.DefaultDelay}
		for _, m := range mailboxes {
			request.Addresses = append(request.Addresses, m.Email)
		}
		_, err = a.Privacy.Request(r.Context(), request)
		if why := privacy.Obstacle(err); why != "" {
			return a.showRecords(w, r, v, http.StatusConflict, why)
		}
		if err != nil {
			return err
		}
		securitylog.Record(r.Context(), securitylog.ErasureRequested)
	}
	http.Redirect(w, r, recordsPath, http.StatusSeeOther)
	return nil
}
