SELECT CONCAT('{"id":', "bookshop_review"."id", '}') AS "json_"
FROM "bookshop_review"
WHERE "bookshop_review"."id" = ANY(ARRAY(SELECT "bookshop_review"."id" AS "pk_"
    FROM "bookshop_review"
    INNER JOIN "bookshop_edition" ON ("bookshop_review"."edition_id" = "bookshop_edition"."id")
    INNER JOIN "bookshop_book" ON ("bookshop_edition"."book_id" = "bookshop_book"."id")
    WHERE (("bookshop_review"."stars" >= %s
        OR "bookshop_book"."publisher_id" = ANY(%s::bigint[]))
      AND NOT (CASE
        WHEN ("bookshop_book"."publisher_id" = ANY(%s::bigint[])) THEN ("bookshop_review"."text" = %s::text)
        ELSE NULL END))
    ORDER BY "bookshop_review"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_review"."id" DESC
-- 3 {scope:houses:2} {scope:houses:2} {0} {1} {2}
