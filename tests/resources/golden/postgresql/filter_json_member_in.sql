SELECT CONCAT('{"id":', "bookshop_book"."id", '}') AS "json_"
FROM "bookshop_book"
WHERE "bookshop_book"."id" = ANY(ARRAY(SELECT "bookshop_book"."id" AS "pk_"
    FROM "bookshop_book"
    WHERE NULLIF("bookshop_book"."metadata" -> %s::text, 'null'::jsonb) = ANY(ARRAY(SELECT jsonb_array_elements(%s::jsonb)))
    ORDER BY "bookshop_book"."id" DESC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_book"."id" DESC
-- color {0} {1} {2}
