package email_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"konbit/internal/platform/email"
)

// TestAddresses is the one table of addresses: what each rule returns for what a person may type.
func TestAddresses(t *testing.T) {
	long := "ana@" + strings.Repeat("a.", 130) + "org"
	for _, test := range []struct {
		typed, clean string // "" for clean: as typed
		valid, plain bool   // IsValid and CheckPlain, of the cleaned address
		key          string // MailboxKey; "" if not tested
	}{
		{typed: "ana@example.org", valid: true, plain: true, key: "ana@example.org"},
		{typed: "Ana.Perez+gifts@mail.example.co.uk", valid: true, plain: true, key: "ana.perez@mail.example.co.uk"},
		{typed: "o'brien@example.org", valid: true, plain: true},
		{typed: " ana@example.org ", clean: "ana@example.org", valid: true, plain: true, key: "ana@example.org"},
		{typed: "a_b-c@x.example", valid: true, plain: true},
		{typed: "1@2.example", valid: true, plain: true},
		{typed: "ana@dönor.example", clean: "ana@xn--dnor-5qa.example", valid: true, plain: true},
		{typed: " Ana@DÖNOR.Example", clean: "Ana@xn--dnor-5qa.example", valid: true, plain: true},
		{typed: "ana@例え。テスト", clean: "ana@xn--r8jz45g.xn--zckzah", valid: true, plain: true},

		// What a copied address brings with it.
		{typed: "ana@example.org.", clean: "ana@example.org", valid: true, plain: true},
		{typed: "ana@example.org, ", clean: "ana@example.org", valid: true, plain: true},
		{typed: "ana@example.org;", clean: "ana@example.org", valid: true, plain: true},
		{typed: "mailto:ana@example.org", clean: "ana@example.org", valid: true, plain: true},
		{typed: "MAILTO:Ana@example.org?subject=Hello", clean: "Ana@example.org", valid: true, plain: true},
		{typed: "ana\u200b@example.org", clean: "ana@example.org", valid: true, plain: true},
		{typed: "\u202aana@example.org\u202c", clean: "ana@example.org", valid: true, plain: true},
		{typed: "ana＠example．org", clean: "ana@example.org", valid: true, plain: true},
		{typed: "ana\u2011maria@example.org", clean: "ana-maria@example.org", valid: true, plain: true},
		{typed: "\u00a0ana@example.org\u3000", clean: "ana@example.org", valid: true, plain: true},

		// Accepted as recipients of a message, refused on forms.
		{typed: "ana@example", plain: true},
		{typed: "añá@example.org", plain: true},
		{typed: "añá@exämple.org", clean: "añá@xn--exmple-cua.org", plain: true},
		{typed: "ana@exämple", clean: "ana@xn--exmple-cua", plain: true},
		{typed: strings.Repeat("a", 65) + "@example.org", plain: true},
		{typed: "ana@-ä.example", plain: true},
		{typed: "ana@" + strings.Repeat("ä", 70) + ".org", plain: true},
		{typed: "ana@[127.0.0.1]", plain: true},

		{typed: "ana"}, {typed: "ana@"}, {typed: "@example.org"}, {typed: "ana@example.", clean: "ana@example", plain: true}, {typed: "ana@.example"}, {typed: "ana@@example.org"},
		{typed: "ana example@x.org"}, {typed: "ana@exa mple.org"}, {typed: "ana@example.org, eva@example.org"}, {typed: "Ana <ana@example.org>"},
		{typed: `"a> ORCPT=x@y"@example.com`}, {typed: `"ana"@example.org`}, {typed: "ana@example.org\r\nRCPT TO:<x@y.z>"},
		{typed: "ana@example.org\nBcc: x@y.z"}, {typed: "ana\x00@example.org"}, {typed: "ana@ex ämple.org"}, {typed: "ana@exämple.org\nBcc: x@y.z"},
		{typed: "a@b@exämple.org", clean: "a@b@xn--exmple-cua.org"}, {typed: "ana@ä..org"},
		{typed: `"a b"@exämple.org`, clean: `"a b"@xn--exmple-cua.org`}, {typed: "ana@example..org"}, {typed: "a(b)@example.org"}, {typed: "ana;x@example.org"},
		{typed: long}, {typed: "ana@example.org\x7f"}, {typed: "ana\xff@example.org"}, {typed: ".ana@example.org"}, {typed: "ana.@example.org"}, {typed: ""},
	} {
		t.Run(test.typed, func(t *testing.T) {
			clean := email.Clean(test.typed)
			if test.clean == "" {
				test.clean = test.typed
			}
			require.Equal(t, test.clean, clean)
			require.Equal(t, test.valid, email.IsValid(clean), "valid")
			require.Equal(t, test.plain, email.CheckPlain(clean) == nil, "plain")
			if test.key != "" {
				require.Equal(t, test.key, email.MailboxKey(test.typed))
			}
		})
	}
	require.Equal(t, "ana@example.org", email.Normalize(" Ana@Example.org\n"))
	for _, same := range []string{"ana@example.org", " Ana@Example.ORG ", "ana+42@example.org"} {
		require.Equal(t, "ana@example.org", email.MailboxKey(same))
	}
}

func TestMailboxes(t *testing.T) {
	for text, want := range map[string]struct {
		email.Mailbox
		domain string
	}{
		"Example Fund <Gifts@Example.org>":         {email.Mailbox{Name: "Example Fund", Address: "Gifts@Example.org"}, "example.org"},
		"gifts@example.org":                        {email.Mailbox{Address: "gifts@example.org"}, "example.org"},
		"=?utf-8?q?Fundaci=C3=B3n?= <a@b.example>": {email.Mailbox{Name: "Fundación", Address: "a@b.example"}, "b.example"},
		`"a@b"@example.net`:                        {email.Mailbox{Address: "a@b@example.net"}, "example.net"},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := email.Parse(text)
			require.NoError(t, err)
			require.Equal(t, want.Mailbox, got)
			domain, err := email.DomainOf(text)
			require.NoError(t, err)
			require.Equal(t, want.domain, domain)
		})
	}
	for _, wrong := range []string{"", "Example Fund", "a@b.example, c@d.example", "<a@b.example"} {
		require.False(t, email.IsMailbox(wrong), wrong)
	}
}

// FuzzIsValid requires that a valid address is one plain address without anything that a mail server could read as a
// command.
func FuzzIsValid(f *testing.F) {
	for _, seed := range []string{"ana@example.org", `"a b"@example.org`, "a@b.c>\r\nRCPT TO:<x@y.z", "a@b.c,d@e.f", "é@b.c", "a@é.c", "a@é\r\n.c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		address := email.Clean(text)
		if !email.IsValid(address) {
			return
		}
		require.Equal(t, 1, strings.Count(address, "@"))
		require.False(t, strings.ContainsAny(address, "\r\n\x00<>\"(),:;[]\\ "))
		require.LessOrEqual(t, len(address), 254)
		require.False(t, strings.ContainsFunc(address, func(c rune) bool { return c > unicode.MaxASCII }))
	})
}

func TestSuggest(t *testing.T) {
	for typed, want := range map[string]string{
		"ana@gmial.com": "gmail.com", "ana@gmai.com": "gmail.com", "ana@gmaill.com": "gmail.com", "ana@gnail.com": "gmail.com", "ana@gmail.con": "gmail.com",
		"ana@gmail.co": "gmail.com", "ana@GMIAL.com": "gmail.com", "ana@gmail.cmo": "gmail.com", "ana@hotmial.com": "hotmail.com", "ana@hotmai.com": "hotmail.com",
		"ana@yaho.com": "yahoo.com", "ana@yahooo.com": "yahoo.com", "ana@outlok.com": "outlook.com", "ana@iclould.com": "icloud.com", "ana@yahoo.com.rb": "yahoo.com.br",

		"ana@gmail.com": "", "ana@ymail.com": "", "ana@mail.com": "", "ana@hotmail.es": "", "ana@yahoo.es": "", "ana@example.org": "", "ana@he.com": "",
		"ana@gmial.org": "", "ana@tnsemissionworks.example": "", "ana": "", "": "",
	} {
		t.Run(typed, func(t *testing.T) {
			if want != "" {
				want = "ana@" + want
			}
			require.Equal(t, want, email.Suggest(typed))
		})
	}
}
