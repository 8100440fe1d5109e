SELECT CONCAT('{"code":', to_json("bookshop_country"."code"), '}') AS "json_"
FROM "bookshop_country"
WHERE "bookshop_country"."code" = ANY(ARRAY(SELECT "bookshop_country"."code" AS "pk_"
    FROM "bookshop_country"
    WHERE ("bookshop_country"."code" = %s
      OR (("bookshop_country"."code" = ANY(%s::text[]))) IS NOT TRUE)
    ORDER BY "bookshop_country"."code" COLLATE "C" ASC
    LIMIT %s::bigint OFFSET %s::bigint))
ORDER BY "bookshop_country"."code" COLLATE "C" ASC
-- aa {scope:countries:3} {0} {1}
