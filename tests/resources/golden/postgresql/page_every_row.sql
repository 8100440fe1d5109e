SELECT CONCAT('{"id":', "bookshop_publisher"."id", '}') AS "json_"
FROM "bookshop_publisher"
ORDER BY "bookshop_publisher"."id" DESC
-- 
