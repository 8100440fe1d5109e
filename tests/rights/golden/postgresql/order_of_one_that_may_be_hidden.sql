SELECT CONCAT('{"id":', "bookshop_review"."id", '}') AS "json_"
FROM "bookshop_review"
INNER JOIN "bookshop_edition" ON ("bookshop_review"."edition_id" = "bookshop_edition"."id")
INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
WHERE "bookshop_review"."id" = ANY(ARRAY(SELECT "bookshop_review"."id" AS "pk_"
    FROM "bookshop_review"
    INNER JOIN "bookshop_edition" ON ("bookshop_review"."edition_id" = "bookshop_edition"."id")
    INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
    WHERE ("bookshop_edition"."stock" IS NOT NULL
      OR "bookshop_review"."stars" < %s
      OR "bookshop_book"."publisher_id" = ANY(%s::bigint[]))
    ORDER BY CASE
    WHEN ("bookshop_book"."publisher_id" = ANY(%s::bigint[])
      OR "bookshop_book"."status" = %s) THEN "bookshop_edition"."stock"
    ELSE NULL END ASC, "bookshop_review"."id" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY CASE
WHEN ("bookshop_book"."publisher_id" = ANY(%s::bigint[])
  OR "bookshop_book"."status" = %s) THEN "bookshop_edition"."stock"
ELSE NULL END ASC, "bookshop_review"."id" ASC
-- 3 {scope:houses:2} {scope:houses:2} draft {0} {1} {scope:houses:2} draft
