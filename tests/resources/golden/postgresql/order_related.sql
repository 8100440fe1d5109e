SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    LEFT OUTER JOIN "bookshop_publisher" ON ("bookshop_book"."publisher_id" = "bookshop_publisher"."id")
    ORDER BY "bookshop_publisher"."name" COLLATE "C" ASC, "bookshop_book"."pages" DESC, "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_publisher"."name" COLLATE "C" ASC, "bookshop_book"."pages" DESC, "bookshop_book"."id" DESC
-- {0} {1}
