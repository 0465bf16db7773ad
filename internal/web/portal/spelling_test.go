package portal

import (
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"

	"konbit/internal/web"
)

// TestValuesKeepTheirSpelling: addresses, signatures and cookies that emails and browsers hold never change. A renamed
// constant that changes one fails here.
func TestValuesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	base := &url.URL{Scheme: "https", Host: "give.example"}
	secret, donor := []byte("canary-secret-of-32-bytes-length"), uuid.MustParse("01930000-0000-7000-8000-000000000001")
	links := PlanLinks{Base: base, Secret: secret, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }}
	for name, each := range map[string]struct{ got, want string }{
		"plan":             {links.Manage("AAAAAAAAAAAAAAAAAAAAAA", "es"), "https://give.example/plans/AAAAAAAAAAAAAAAAAAAAAA/rvGjK0G9kSDnKzPWxRYIlg?lang=es"},
		"payment method":   {links.PaymentMethod(donor, "es"), "https://give.example/plans/card/AZMAAAAAcACAAAAAAAAAAQAAAABrcV8Ac6es6_H6B6re5v1p2IbVtw?lang=es"},
		"choice of emails": {StopLink(base, secret)(donor, "news", "es"), "https://give.example/letters/S49xhvaPpmp3MFK__fsRcwGTAAAAAHAAgAAAAAAAAAFuZXdz?lang=es"},
		"sign-in":          {SignInLink(base)("secret", "es"), "https://give.example/sign-in/link?lang=es#secret"},
		"own plan":         {ownPlanPath("ref", "es"), "/portal/plans/ref?lang=es"},
		"receipt":          {receiptPath("ref"), "/portal/gifts/ref/receipt"},
		"challenge cookie": {challengeCookie, "asked"},
		"session cookie":   {web.SessionCookie, "session"},
		"language cookie":  {web.LanguageCookie, "language"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, each.want, each.got)
		})
	}
}
