// Package give is the area of pages on which gifts are made: the front page, an organisation's form, the proof of work
// that limits attempts, the page after payment, and event mode for a tablet that donors share.
//
// A page NAME has its address in routes.go, its handler in NAME_get.go or NAME_post.go, its struct in NAME_page.go, its
// template and words in templates/give. The area decides nothing about gifts and holds no SQL.
//
//	GET form → POST form ┬ bad fields ──────────────→ the form again, each bad field marked (422)
//	                     ├ too many attempts ───────→ challenge, or the form again (429)
//	                     ├ Stripe or database down ─→ the form again, nothing lost (503)
//	                     └ gift started ────────────→ Stripe's payment page → GET thanks, which only reads
package give
