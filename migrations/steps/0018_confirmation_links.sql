-- What the code in a mail does, its link does too; and where its reader was going, a path of the pages.
ALTER TABLE confirmation
    ADD COLUMN link_hash bytea CONSTRAINT confirmation_link_hash UNIQUE
        CONSTRAINT confirmation_link_hash_bound CHECK (octet_length(link_hash) = 32),
    ADD COLUMN goal text NOT NULL DEFAULT '/'
        CONSTRAINT confirmation_goal_bound CHECK (goal ~ '^/' AND char_length(goal) <= 2000);
