package e2e

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/clean"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// tributeGift is a gift in honour of a person, with a card, by a donor with these names.
func tributeGift(first, last, name, to, message string) url.Values {
	f := form("hostile")
	for field, text := range map[string]string{
		"first_name": first, "last_name": last, "dedication": "honour", "dedication_name": name,
		"card_name": to, "card_email": "friend@donor.example", "card_message": message,
	} {
		f.Set(field, text)
	}
	return f
}

// TestHostileNamesAllTheWay is threat T15 on the whole path: the donors' names contain program text, and the pages
// after payment, the emails and the inbox have the same structure as for a harmless name.
func TestHostileNamesAllTheWay(t *testing.T) {
	t.Parallel()
	const gifts, each = 20, 5
	s := Start(t, Options{})
	taken := slices.DeleteFunc(testkit.HostileTexts(), func(text string) bool { // texts that the form accepts: short, one line, no link
		return utf8.RuneCountInString(text) > 100 || strings.ContainsAny(text, "\r\n\t\x00\u202e\u2066\u2028@.") || strings.Contains(text, "://")
	})
	require.GreaterOrEqual(t, len(taken), gifts*each)
	step := len(taken) / (gifts * each)
	pay := func(f url.Values) startedGift {
		b := s.begin("csio", f)
		require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard))
		return b
	}
	plain := pay(tributeGift("Ana", "Li", "Ana", "Ana", "Ana"))
	s.waitStatus(plain, "settled")
	usual := s.waitForEmails(2)
	var hostile []startedGift
	var written []string
	for i := range gifts {
		var texts [each]string
		for j := range texts {
			texts[j] = taken[(i*each+j)*step]
		}
		hostile = append(hostile, pay(tributeGift(texts[0], texts[1], texts[2], texts[3], texts[4])))
		written = append(written, texts[:]...)
	}
	for _, b := range hostile {
		s.waitStatus(b, "settled")
	}
	testkit.Eventually(t, waitTimeout, func() error {
		if n := len(s.Mail().Messages()); n < 2+2*gifts {
			return unexpected{"the number of emails", strconv.Itoa(n), "all"}
		}
		return nil
	})

	v := visit(t, s)
	wrong := testkit.WatchErrors(t, v.ctx)
	structureOf := func(address string) []string {
		v.do(chromedp.Navigate(address))
		return testkit.PageStructure(t, v.ctx)
	}
	thanks := structureOf(s.URL() + thanksPath("csio", plain))
	for _, b := range hostile {
		assert.Equal(t, thanks, structureOf(s.URL()+thanksPath("csio", b)))
	}
	var pages, frames []string
	for _, m := range usual {
		pages = append(pages, structureOf(s.MailURL()+"/messages/"+m.ID)...)
		frames = append(frames, structureOf(s.MailURL()+"/messages/"+m.ID+"/html")...)
	}
	var seen strings.Builder
	for _, m := range s.waitForEmails(2 + 2*gifts) {
		assert.Subset(t, pages, structureOf(s.MailURL()+"/messages/"+m.ID), m.Subject)
		assert.Subset(t, frames, structureOf(s.MailURL()+"/messages/"+m.ID+"/html"), m.Subject)
		seen.WriteString(v.body())
	}
	inbox := structureOf(s.MailURL() + "/")
	assert.NotContains(t, inbox, "script")
	inboxText := strings.Join(strings.Fields(seen.String()), "")
	for _, text := range written {
		assert.Contains(t, inboxText, strings.Join(strings.Fields(clean.Line(text)), ""))
	}
	assert.Empty(t, wrong())
	t.Logf("%d hostile texts in %d emails", len(written), 2*gifts)
}
