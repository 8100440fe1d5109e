SELECT ('{' || (substr((CASE
        WHEN ("bookshop_book"."publisher_id" IN (SELECT value
            FROM json_each(%s))
          OR ((EXISTS(SELECT %s AS "a"
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
                LIMIT 1))) IS NOT TRUE) THEN (
          ',"isbn":' || json_quote("bookshop_edition"."isbn"))
        ELSE %s END || CASE
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
            LIMIT 1)) THEN (
          ',"opinions":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
              WHEN COUNT(*) > 3 THEN ',"\u001f"]'
              ELSE ']' END)
            FROM (SELECT ('{"stars":' || U0."stars" || '}') AS "json_"
              FROM "bookshop_review" U0
              INNER JOIN "bookshop_edition" U1 ON (U0."edition_id" = U1."id")
              INNER JOIN "bookshop_book" U2 ON (U1."book_id" = U2."id")
              WHERE ((U0."stars" >= %s
                  OR U2."publisher_id" IN (SELECT value
                    FROM json_each(%s)))
                AND U0."edition_id" = ("bookshop_edition"."id"))
              ORDER BY U0."stars" DESC, U0."id" ASC
              LIMIT 4) "r"))
        ELSE %s END || CASE
        WHEN "bookshop_book"."publisher_id" IN (SELECT value
          FROM json_each(%s)) THEN (
          ',"stock":' || COALESCE("bookshop_edition"."stock", 'null'))
        ELSE %s END), 2)) || '}') AS "json_"
FROM "bookshop_edition"
INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
WHERE "bookshop_edition"."id" IN (SELECT "bookshop_edition"."id" AS "pk_"
  FROM "bookshop_edition"
  INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
  WHERE ("bookshop_edition"."stock" > %s
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
-- {scope:houses:2} 1 1 {caller:account_id} 2  {scope:houses:2} 1 1 {caller:account_id} 2 3 {scope:houses:2}  {scope:houses:2}  0 1 1 {caller:account_id} 2 {scope:houses:2} {scope:houses:2} 1 1 {caller:account_id} 2 {0} {1} {scope:houses:2} 1 1 {caller:account_id} 2
