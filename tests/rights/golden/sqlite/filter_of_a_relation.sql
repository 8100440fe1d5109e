SELECT ('{"id":' || "bookshop_edition"."id" || '}') AS "json_"
FROM "bookshop_edition"
INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
  WHERE (("bookshop_edition"."stock" > %s
      OR EXISTS(SELECT %s AS "a"
        FROM "bookshop_edition" V0
        WHERE (V0."id" = ("bookshop_edition"."id")
          AND NOT (EXISTS(SELECT %s AS "a"
              FROM "bookshop_edition" U0
              INNER JOIN "bookshop_book" U1 ON (U0."book_id" = U1."id")
              INNER JOIN "bookshop_book_authors" U2 ON (U1."id" = U2."book_id")
              WHERE (U0."id" = (V0."id")
                AND U2."author_id" = (%s))
              LIMIT 1))
          AND V0."position" < %s)
        LIMIT 1)
      OR "bookshop_book"."publisher_id" IN (SELECT value
        FROM json_each(%s)))
    AND CASE
    WHEN ("bookshop_book"."publisher_id" IN (SELECT value
        FROM json_each(%s))
      OR EXISTS(SELECT %s AS "a"
        FROM "bookshop_edition" V0
        WHERE (V0."id" = ("bookshop_edition"."id")
          AND NOT (EXISTS(SELECT %s AS "a"
              FROM "bookshop_edition" U0
              INNER JOIN "bookshop_book" U1 ON (U0."book_id" = U1."id")
              INNER JOIN "bookshop_book_authors" U2 ON (U1."id" = U2."book_id")
              WHERE (U0."id" = (V0."id")
                AND U2."author_id" = (%s))
              LIMIT 1))
          AND V0."position" < %s)
        LIMIT 1)) THEN (NOT EXISTS(SELECT %s AS "a"
        FROM "bookshop_review" U0
        INNER JOIN "bookshop_edition" U1 ON (U0."edition_id" = U1."id")
        INNER JOIN "bookshop_book" U2 ON (U1."book_id" = U2."id")
        WHERE ((U0."stars" >= %s
            OR U2."publisher_id" IN (SELECT value
              FROM json_each(%s)))
          AND U0."edition_id" = ("bookshop_edition"."id")
          AND U0."stars" > %s)
        LIMIT 1))
    ELSE NULL END)
  ORDER BY CASE
  WHEN ("bookshop_book"."publisher_id" IN (SELECT value
      FROM json_each(%s))
    OR EXISTS(SELECT %s AS "a"
      FROM "bookshop_edition" V0
      WHERE (V0."id" = ("bookshop_edition"."id")
        AND NOT (EXISTS(SELECT %s AS "a"
            FROM "bookshop_edition" U0
            INNER JOIN "bookshop_book" U1 ON (U0."book_id" = U1."id")
            INNER JOIN "bookshop_book_authors" U2 ON (U1."id" = U2."book_id")
            WHERE (U0."id" = (V0."id")
              AND U2."author_id" = (%s))
            LIMIT 1))
        AND V0."position" < %s)
      LIMIT 1)) THEN "bookshop_edition"."position"
  ELSE NULL END ASC NULLS LAST, "bookshop_edition"."id" ASC
  LIMIT %s OFFSET %s)
ORDER BY CASE
WHEN ("bookshop_book"."publisher_id" IN (SELECT value
    FROM json_each(%s))
  OR EXISTS(SELECT %s AS "a"
    FROM "bookshop_edition" V0
    WHERE (V0."id" = ("bookshop_edition"."id")
      AND NOT (EXISTS(SELECT %s AS "a"
          FROM "bookshop_edition" U0
          INNER JOIN "bookshop_book" U1 ON (U0."book_id" = U1."id")
          INNER JOIN "bookshop_book_authors" U2 ON (U1."id" = U2."book_id")
          WHERE (U0."id" = (V0."id")
            AND U2."author_id" = (%s))
          LIMIT 1))
      AND V0."position" < %s)
    LIMIT 1)) THEN "bookshop_edition"."position"
ELSE NULL END ASC NULLS LAST, "bookshop_edition"."id" ASC
-- 0 1 1 {caller:account_id} 2 {scope:houses:2} {scope:houses:2} 1 1 {caller:account_id} 2 1 3 {scope:houses:2} {0} {scope:houses:2} 1 1 {caller:account_id} 2 {1} {2} {scope:houses:2} 1 1 {caller:account_id} 2
