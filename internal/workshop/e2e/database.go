package e2e

import "konbit/internal/workshop/testkit"

// MoveTo makes commands, the stack's own queries, and servers at their next start use another database.
func (s *Stack) MoveTo(db *testkit.Database) {
	s.settings["DATABASE_URL"], s.settings["DATABASE_OWNER_URL"] = db.ServerURL, db.OwnerURL
	s.DB = db
}
