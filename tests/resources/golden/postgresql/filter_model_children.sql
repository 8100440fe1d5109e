SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE ("bookshop_book"."pages" > %s::bigint
      AND EXISTS(SELECT %s AS "a"
        FROM "bookshop_edition" U0
        WHERE (U0."book_id" = ("bookshop_book"."id")
          AND U0."stock" > %s::bigint)
        LIMIT 1))
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- {1} 1 {0} {2} {3}
