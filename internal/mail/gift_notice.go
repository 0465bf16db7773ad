package mail

import (
	"cmp"
	"context"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// noticeKinds are the kinds of emails about notices. They belong to the stream of receipts.
var noticeKinds = map[notice.Kind]string{
	notice.Failed: "gift_failed", notice.Held: "gift_held", notice.Returned: "gift_returned", notice.RefundFailed: "refund_failed",
	notice.RefundedLater: "refund_later",
}

// GiveAgain is a gift that a link to the form presets.
type GiveAgain struct {
	Organisation string // slug
	Amount       money.Amount
	Frequency    string
	Fund         string // slug; empty: the gift was for several
}

// GiftNotices sends the emails about money of a gift that no receipt is about.
type GiftNotices struct {
	Receipts
	Catalog *fund.CatalogCache
	Again   func(GiveAgain, phrase.Language) string // the organisation's form
}

// Register registers the job that sends these emails.
func (m GiftNotices) Register(h *jobs.Handlers) {
	jobs.Handle(h, func(ctx context.Context, job notice.EmailJob) error { return m.Mail(ctx, job.NoticeID) })
}

// Mail sends the email about a notice, once. It sends nothing if the donor gave no address or was erased.
func (m GiftNotices) Mail(ctx context.Context, id uuid.UUID) error {
	n, err := notice.ByID(ctx, m.DB, id)
	if err != nil {
		return err
	}
	return m.SendStored(ctx, noticeKinds[n.Kind], n.ID, func() (*Email, error) { return m.renderNotice(ctx, n) })
}

func (m GiftNotices) renderNotice(ctx context.Context, n notice.Notice) (*Email, error) {
	to, err := addresseeOf(ctx, m.DB, n.DonationID)
	if err != nil || to == nil {
		return nil, err
	}
	d, err := donation.ByID(ctx, m.DB, n.DonationID)
	if err != nil {
		return nil, err
	}
	words, entity, err := m.noticeWords(ctx, n, d)
	if err != nil {
		return nil, err
	}
	words.Greeting = cmp.Or(to.FirstName, to.OrganisationName)
	email := &Email{
		ID: n.ID, EntityID: entity.ID, Kind: noticeKinds[n.Kind], List: receiptList, Sender: entity.Slug, From: entity.MailFrom,
		To: to.Email, ToName: strings.TrimSpace(to.FirstName + " " + to.LastName), Language: d.Language, Date: n.At, Gift: d.ID,
	}
	email.Subject, email.Text, email.HTML, err = m.View.NoticeEmail(words)
	return email, err
}

// noticeWords returns what the email says, with a link to the form if the gift failed.
func (m GiftNotices) noticeWords(ctx context.Context, n notice.Notice, d donation.Donation) (w view.NoticeEmailWords, entity org.LegalEntity, err error) {
	catalog, err := m.Catalog.Current(ctx)
	if err != nil {
		return w, entity, err
	}
	if entity, err = catalog.EntityByID(d.EntityID); err != nil {
		return w, entity, err
	}
	o, err := catalog.OrganisationByID(d.OrganisationID)
	if err != nil {
		return w, entity, err
	}
	lang := phrase.Language(d.Language)
	w = view.NoticeEmailWords{
		Kind: strings.TrimPrefix(noticeKinds[n.Kind], "gift_"), Language: lang, Donee: DoneeOf(entity), Organisation: o.Name.In(lang), Accent: o.Accent,
		Amount: n.Amount(), On: n.At.In(entity.Location()),
	}
	if n.Kind == notice.RefundedLater && d.ChargedAt != nil {
		w.Given = d.ChargedAt.In(entity.Location())
	}
	if n.Kind != notice.Failed {
		return w, entity, nil
	}
	w.On, w.Plan = d.CreatedAt.In(entity.Location()), d.PlanID != nil
	again := GiveAgain{Organisation: o.Slug, Amount: d.Given(), Frequency: d.Frequency}
	parts, err := donation.DesignationsOf(ctx, m.DB, []uuid.UUID{d.ID})
	if err == nil && len(parts[d.ID]) == 1 {
		var f fund.Fund
		f, err = catalog.Fund(parts[d.ID][0].FundID)
		again.Fund = f.Slug
	}
	w.AgainURL = m.Again(again, lang)
	return w, entity, err
}
