package e2e

import "konbit/internal/workshop/testkit"

// MoveTo has commands, and servers when they start next, use another database, and the stack's own questions go there.
func (s *Stack) MoveTo(db *testkit.Database) {
	s.settings["DATABASE_URL"], s.settings["DATABASE_OWNER_URL"] = db.ServerURL, db.OwnerURL
	s.DB = db
}
