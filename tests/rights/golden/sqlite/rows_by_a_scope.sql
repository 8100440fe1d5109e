SELECT ('{"id":' || "bookshop_review"."id" ||
  ',"stars":' || "bookshop_review"."stars" || '}') AS "json_"
FROM "bookshop_review"
WHERE "bookshop_review"."id" IN (SELECT "bookshop_review"."id" AS "pk_"
  FROM "bookshop_review"
  INNER JOIN "bookshop_edition" ON ("bookshop_review"."edition_id" = "bookshop_edition"."id")
  INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
  WHERE ("bookshop_review"."stars" >= %s
    OR "bookshop_book"."publisher_id" IN (SELECT value
      FROM json_each(%s)))
  ORDER BY "bookshop_review"."id" DESC
  LIMIT %s OFFSET %s)
ORDER BY "bookshop_review"."id" DESC
-- 3 {scope:houses:2} {0} {1}
