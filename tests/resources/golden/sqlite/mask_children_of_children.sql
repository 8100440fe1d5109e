SELECT ('{"editions":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
      WHEN COUNT(*) > 100 THEN ',"\u001f"]'
      ELSE ']' END)
    FROM (SELECT ('{"reviews":' || (SELECT ('[' || (COALESCE(group_concat(json_, ','), '')) || CASE
            WHEN COUNT(*) > 100 THEN ',"\u001f"]'
            ELSE ']' END)
          FROM (SELECT ('{"stars":' || U0."stars" || '}') AS "json_"
            FROM "bookshop_review" U0
            WHERE U0."edition_id" = (V0."id")
            ORDER BY U0."stars" DESC, U0."id" ASC
            LIMIT 101) "r") || '}') AS "json_"
      FROM "bookshop_edition" V0
      WHERE V0."book_id" = ("bookshop_book"."id")
      ORDER BY V0."position" ASC, V0."id" ASC
      LIMIT 101) "r") || '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" IN (SELECT "bookshop_book"."id" AS "pk_"
  FROM "bookshop_book"
  ORDER BY "bookshop_book"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_book"."id" DESC
-- {0} {1}
