SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    INNER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
    INNER JOIN "bookshop_country" ON ("bookshop_publisher"."country_id" = "bookshop_country"."code")
    WHERE ("bookshop_country"."name" = %s
      AND "bookshop_book"."status" = %s)
    ORDER BY "bookshop_book"."rating" ASC, "bookshop_book"."id" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."rating" ASC, "bookshop_book"."id" ASC
-- open active {0} {1}
